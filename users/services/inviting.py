"""Accounts for people whom somebody else invites: by their address, without telling who has an account already."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import Busy
from eventhub_config.shared.transactions import unit_of_work
from users.models import AccountLink, CustomUser, address_key
from users.services.links import make_link
from users.services.rows import record

INVITATION = AccountLink.Purpose.INVITATION


def accounts_of(emails: Iterable[str]) -> dict[str, CustomUser]:
    """Return the accounts that some of these addresses have, by the addresses' keys."""
    keys = {address_key(email) for email in emails}
    return {user.email_key: user for user in CustomUser.objects.filter(email_key__in=keys)}


@unit_of_work
def invite(*, emails: Iterable[str], actor: Actor, now: datetime) -> dict[str, CustomUser]:
    """Return an account for each address, by the addresses' keys; where there is none, one is made.

    A new account has a name that was drawn and no password. Its owner is not told here: whoever invites them does so,
    with the link of ``invitation_for``. Before any event's lock.
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
        for user in made:
            record(user, "user_type", before="", after=user.user_type, actor=actor, now=now)
        return found | {user.email_key: user for user in made}
    raise Busy


@unit_of_work
def invitation_for(*, user: CustomUser, now: datetime) -> AccountLink | None:
    """Return a link by which somebody who never had a password can set one; None for everybody else.

    The one that was mailed before goes on working: it is the same.
    """
    if user.has_usable_password() or not user.is_active:
        return None
    open_links = AccountLink.objects.usable(now).filter(user=user, purpose=INVITATION, token_version=user.token_version)
    return open_links.first() or make_link(user=user, purpose=INVITATION, email=user.email, now=now)
