"""Accounts for people whom somebody else invites: by their address, without telling who has an account already."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import Busy
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.transactions import unit_of_work
from users.models import AccountLink, CustomUser, address_key
from users.services.links import new_link
from users.services.rows import change_of

INVITATION = AccountLink.Purpose.INVITATION


def accounts_of(emails: Iterable[str]) -> dict[str, CustomUser]:
    """Return the accounts that some of these addresses have, by the addresses' keys."""
    keys = {address_key(email) for email in emails}
    return {user.email_key: user for user in CustomUser.objects.filter(email_key__in=keys)}


@unit_of_work
def invite(*, emails: Iterable[str], actor: Actor, now: datetime) -> dict[str, CustomUser]:
    """Return an account for each address, by the addresses' keys; where there is none, one is made.

    A new account has a name that was drawn and no password. Its owner is not told here: whoever invites them does so,
    with a link of ``invitations_for``. Before any event's lock.
    """
    spelled = {address_key(email): email for email in emails}
    for _ in range(3):
        found = accounts_of(spelled.values())
        missing = [email for key, email in spelled.items() if key not in found]
        if not missing:
            return found
        try:
            with transaction.atomic():
                made = CustomUser.objects.insert_invited(missing, now)
        except IntegrityError:  # somebody else made one of them just now
            continue
        insert_rows(
            [change_of(user, "user_type", before="", after=user.user_type, actor=actor, now=now) for user in made]
        )
        return found | {user.email_key: user for user in made}
    raise Busy


@unit_of_work
def invitations_for(*, users: Iterable[CustomUser], now: datetime) -> dict[int, AccountLink]:
    """Return a link for each of these users who never had a password, to set one by; nothing for the others.

    The one that was mailed before goes on working: it is the same. In a few statements, however many they are; the
    users are locked in the order of their ids, before any event.
    """
    without = sorted(user.pk for user in users if user.is_active and not user.has_usable_password())
    if not without:
        return {}
    rows = CustomUser.objects.select_for_update(no_key=True).filter(pk__in=without).order_by("pk")
    locked = {user.pk: user for user in rows if not user.has_usable_password()}
    open_links = AccountLink.objects.filter(user__in=locked, purpose=INVITATION, closed_at=None)
    usable = {link.user_id: link for link in open_links if link.is_usable_by(locked[link.user_id], now)}
    missing = [user for pk, user in locked.items() if pk not in usable]
    open_links.filter(user__in=missing).update(
        closed_at=now, close_reason=AccountLink.CloseReason.REPLACED, next_attempt_at=None
    )
    made = [new_link(user=user, purpose=INVITATION, email=user.email, now=now) for user in missing]
    insert_rows(made)
    return usable | {link.user_id: link for link in made}
