"""Links by mail: one row each, and a token that only the mail has.

A token is not stored anywhere. It is the row's purpose, id and moment of making, signed; it is made when the mail is
put together, and again, to the letter, if that has to be sent once more. Whether it still works is decided by the row,
under its user's lock: a link ends with its use, with its time, with a newer one of the same purpose, and with whatever
ends its user's tokens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, Signer

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.throttling import Limit
from eventhub_config.shared.transactions import unit_of_work
from users import signals
from users.models import AccountLink, CustomUser, PendingRegistration, address_key
from users.services.rows import locked

Purpose = AccountLink.Purpose
REGISTRATION = "registration"  # the purpose of a token whose row is a PendingRegistration
# Of the front end or, where there is none, of our own (``users/pages.py``). Part of the contract with front ends.
PAGES = {
    Purpose.VERIFY_EMAIL: "verify-email",
    REGISTRATION: "verify-email",
    Purpose.RESET_PASSWORD: "reset-password",
    Purpose.CHANGE_EMAIL: "confirm-email",
    Purpose.INVITATION: "reset-password",
}
MAILS_PER_HOUR = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LinkNotValid(DomainError):
    code = "link_not_valid"
    status = 400
    title = "This link is invalid, has expired or was used before. Ask for a new one."


@dataclass(frozen=True)
class MailedLink:
    """A link as it stands in a mail."""

    url: str
    expires_at: datetime


@dataclass(frozen=True)
class TokenContent:
    purpose: str
    pk: int
    made_at: datetime


# --- Tokens -----------------------------------------------------------------------------------------------------------


def token_of(row: AccountLink | PendingRegistration) -> str:
    """Return the token of a row: always the same. For mails only; it is the whole secret."""
    purpose = REGISTRATION if isinstance(row, PendingRegistration) else row.purpose
    # The moment besides the id: after a restored backup, an id may be given a second time.
    return _signer().sign_object([purpose, row.pk, (row.created_at - _EPOCH) // timedelta(microseconds=1)])


def read_token(token: str) -> TokenContent:
    """Return what a token of ours says.

    :raises LinkNotValid: it is none.
    """
    try:
        purpose, pk, microseconds = _signer().unsign_object(token)
    except (BadSignature, ValueError) as error:
        raise LinkNotValid from error
    return TokenContent(purpose, pk, _EPOCH + timedelta(microseconds=microseconds))


def _signer() -> Signer:
    return Signer(salt="users.account-link", sep=".")


def mailed_link(*, link_id: int, now: datetime) -> MailedLink | None:
    """Return a link for its mail, or None if it has ended meanwhile."""
    link = AccountLink.objects.select_related("user").filter(pk=link_id).first()
    if link is None or not link.is_usable_by(link.user, now):
        return None
    return MailedLink(_url(link.purpose, token_of(link)), link.expires_at)


def mailed_registration(*, pending_id: int, now: datetime) -> MailedLink | None:
    """Return the link of a registration for its mail, or None if it has ended meanwhile."""
    pending = PendingRegistration.objects.filter(pk=pending_id, expires_at__gt=now).first()
    return MailedLink(_url(REGISTRATION, token_of(pending)), pending.expires_at) if pending else None


def _url(purpose: str, token: str) -> str:
    """Return where a token leads. The host comes from the settings, never from a request."""
    page, query = PAGES[purpose], urlencode({"token": token})
    if settings.FRONTEND_URL:
        return f"{settings.FRONTEND_URL}/{page}?{query}"
    return f"{settings.PUBLIC_URL}/account/{page}/?{query}"


# --- Making and using -------------------------------------------------------------------------------------------------


def make_link(*, user: CustomUser, purpose: Purpose, email: str, now: datetime, **columns: Any) -> AccountLink:
    """Make a link, which ends the one before. Call inside a unit of work that has locked the user."""
    close_links(user=user, purpose=purpose, reason=AccountLink.CloseReason.REPLACED, now=now)
    link = new_link(user=user, purpose=purpose, email=email, now=now, **columns)
    link.save(force_insert=True)
    return link


def new_link(*, user: CustomUser, purpose: Purpose, email: str, now: datetime, **columns: Any) -> AccountLink:
    """Return a link that is not stored yet."""
    return AccountLink(
        user=user,
        purpose=purpose,
        email=email,
        token_version=user.token_version,
        created_at=now,
        expires_at=now + settings.LINK_LIFETIMES[purpose],
        **columns,
    )


def close_links(*, user: CustomUser, purpose: Purpose, reason: AccountLink.CloseReason, now: datetime) -> int:
    """End the open link of a purpose, if there is one. Call inside a unit of work that has locked the user."""
    open_links = AccountLink.objects.filter(user=user, purpose=purpose, closed_at=None)
    return open_links.update(closed_at=now, close_reason=reason, next_attempt_at=None)


def find_link(*, token: str, purpose: Purpose, now: datetime, or_else: Purpose | None = None) -> AccountLink:
    """Return the link of a token with its user, not locked; ``or_else`` is another purpose that it may have.

    :raises LinkNotValid: there is none, or it has ended.
    """
    said = read_token(token)
    link = AccountLink.objects.select_related("user").filter(pk=said.pk, created_at=said.made_at).first()
    wanted = said.purpose in {purpose, or_else}
    if not wanted or link is None or link.purpose != said.purpose or not link.is_usable_by(link.user, now):
        raise LinkNotValid
    return link


def use_link(*, link_id: int, now: datetime) -> tuple[AccountLink, CustomUser]:
    """Use a link up, and return it with its user, both locked. Call inside a unit of work.

    :raises LinkNotValid: it has ended, perhaps since ``find_link``.
    """
    user = locked(AccountLink.objects.values_list("user_id", flat=True).get(pk=link_id))
    link = AccountLink.objects.select_for_update(no_key=True).get(pk=link_id)
    if not link.is_usable_by(user, now):
        raise LinkNotValid
    link.close(AccountLink.CloseReason.USED, now)
    return link, user


# --- Sending ----------------------------------------------------------------------------------------------------------


def mail_limit() -> Limit:
    """Of mails to one address about one thing: nobody's mailbox is flooded through us."""
    return Limit("account-mail", MAILS_PER_HOUR, timedelta(hours=1), strict=True)


def mailbox(email: str, occasion: str) -> str:
    """Return under which name ``mail_limit`` counts mails to an address."""
    return f"{occasion}:{address_key(email)}"


@contextmanager
def counted_mail(email: str, occasion: str) -> Iterator[bool]:
    """Count one mail to an address, and say whether it may be sent. What fails inside is given back.

    Outside of any transaction: a rollback would forget the count.
    """
    rate = mail_limit().count(mailbox(email, occasion))
    try:
        yield rate is None or not rate.exceeded
    except Exception:
        mail_limit().give_back(mailbox(email, occasion))
        raise


@unit_of_work
def send_link(*, user_id: int, purpose: Purpose, now: datetime) -> AccountLink:
    """Make a link to a user's own address and owe them the mail with it."""
    user = locked(user_id)
    return owe_link(user=user, purpose=purpose, now=now)


def owe_link(*, user: CustomUser, purpose: Purpose, now: datetime) -> AccountLink:
    """Do the same for a user who was locked, or inserted, in this unit of work."""
    link = make_link(user=user, purpose=purpose, email=user.email, now=now)
    signals.account_link_owed.send(sender=AccountLink, link=link, now=now)
    return link
