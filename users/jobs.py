"""The periodic work of users."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from eventhub_config.shared.periodic import Chore, Job, Sweep
from users import services, tasks
from users.models import AccountLink, PasswordResetRequest, PendingRegistration, UserSession

# So that people can be told what became of their link.
LINKS_ARE_KEPT = timedelta(days=30)
# Of requests that could not be answered: they hold what somebody typed.
REQUESTS_ARE_KEPT = timedelta(days=1)


def purge_ended_sessions(now: datetime) -> int:
    """Delete sessions none of whose tokens can be used any more."""
    lifetime: Any = settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    deleted, _ = UserSession.objects.filter(last_refreshed_at__lt=now - lifetime).delete()
    return deleted


def purge_account_links(now: datetime) -> int:
    """Delete links, registrations and requests whose time is over."""
    links, _ = AccountLink.objects.filter(expires_at__lt=now - LINKS_ARE_KEPT).delete()
    pending, _ = PendingRegistration.objects.filter(expires_at__lte=now).delete()
    requests, _ = PasswordResetRequest.objects.filter(created_at__lt=now - REQUESTS_ARE_KEPT).delete()
    return links + pending + requests


def _owed(model: type[AccountLink | PasswordResetRequest | PendingRegistration], now: datetime) -> QuerySet[Any, int]:
    due = model.objects.filter(model.due(now)).order_by("next_attempt_at", "pk")
    return due.values_list("pk", flat=True)


MINUTE = timedelta(minutes=1)

JOBS: list[Job] = [
    Chore(name="purge_ended_sessions", every=timedelta(days=1), run=purge_ended_sessions),
    Chore(name="purge_account_links", every=timedelta(hours=1), run=purge_account_links),
    Sweep(
        name="sweep_password_resets",
        every=MINUTE,
        find=lambda now: _owed(PasswordResetRequest, now),
        work=lambda request_id, now: services.answer_password_reset(request_id=request_id, now=now),
        task=tasks.answer_password_reset,
        argument="request_id",
    ),
    Sweep(
        name="sweep_registrations",
        every=MINUTE,
        find=lambda now: _owed(PendingRegistration, now),
        work=lambda pending_id, now: services.answer_registration(pending_id=pending_id, now=now),
        task=tasks.answer_registration,
        argument="pending_id",
    ),
    Sweep(
        name="sweep_email_changes",
        every=MINUTE,
        find=lambda now: _owed(AccountLink, now),
        work=lambda link_id, now: services.answer_email_change(link_id=link_id, now=now),
        task=tasks.answer_email_change,
        argument="link_id",
    ),
]
