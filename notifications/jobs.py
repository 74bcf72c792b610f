"""The periodic work of notifications."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from eventhub_config.shared.periodic import Chore, Job, Sweep
from notifications import services, tasks
from notifications.models import Notification


def messages_to_send(now: datetime) -> QuerySet[Any, int]:
    due = Notification.objects.filter(Notification.due(now)).order_by("next_attempt_at", "pk")
    return due.values_list("pk", flat=True)


STRANGERS_ARE_KEPT = timedelta(days=7)


def purge_mail_to_strangers(now: datetime) -> int:
    """Delete messages to people without an account, with the addresses that somebody typed for them."""
    old = Notification.objects.filter(user=None, created_at__lt=now - STRANGERS_ARE_KEPT)
    deleted, _ = old.delete()
    return deleted


JOBS: list[Job] = [
    Sweep(
        name="sweep_messages",
        every=timedelta(minutes=1),
        find=messages_to_send,
        work=lambda notification_id, now: services.deliver(notification_id=notification_id, now=now),
        task=tasks.deliver_message,
        argument="notification_id",
    ),
    Chore(name="purge_mail_to_strangers", every=timedelta(days=1), run=purge_mail_to_strangers),
]
