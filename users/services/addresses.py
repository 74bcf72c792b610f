"""E-mail addresses: confirming one's own, and changing to another that is confirmed first."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError, InvalidInput
from eventhub_config.shared.throttling import Limit, enforce
from eventhub_config.shared.transactions import unit_of_work
from users import signals
from users.models import AccountLink, CustomUser, address_key
from users.services.accounts import touch
from users.services.links import (
    MAILS_PER_HOUR,
    close_links,
    counted_mail,
    find_link,
    mail_limit,
    mailbox,
    make_link,
    owe_link,
    use_link,
)
from users.services.owed import attempt
from users.services.rows import locked, record
from users.services.signing_in import password_limit

Purpose = AccountLink.Purpose


class EmailAlreadyVerified(DomainError):
    code = "email_already_verified"
    title = "This e-mail address is confirmed already."


class EmailTaken(DomainError):
    code = "email_taken"
    title = "Another account has this e-mail address by now."


# --- Confirming -------------------------------------------------------------------------------------------------------


def resend_verification(*, user_id: int, now: datetime) -> None:
    """Mail a user a new link to confirm their address; the one before ends.

    :raises EmailAlreadyVerified: there is nothing to confirm.
    :raises Throttled: too many were sent within the hour.
    """
    user = CustomUser.objects.get(pk=user_id)
    if user.email_verified_at is not None:
        raise EmailAlreadyVerified
    enforce(mail_limit(), mailbox(user.email, Purpose.VERIFY_EMAIL))
    _send_verification(user_id=user_id, now=now)


@unit_of_work
def _send_verification(*, user_id: int, now: datetime) -> None:
    user = locked(user_id)
    if user.email_verified_at is not None:
        raise EmailAlreadyVerified
    owe_link(user=user, purpose=Purpose.VERIFY_EMAIL, now=now)


def verify_email(*, token: str, now: datetime) -> CustomUser:
    """Take a user's address for confirmed by the link that was mailed to it.

    :raises LinkNotValid: there is no such link, or it has ended.
    """
    return _verify(link_id=find_link(token=token, purpose=Purpose.VERIFY_EMAIL, now=now).pk, now=now)


@unit_of_work
def _verify(*, link_id: int, now: datetime) -> CustomUser:
    _link, user = use_link(link_id=link_id, now=now)
    if user.email_verified_at is None:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
        touch(user)
        record(user, "email", before="unverified", after="verified", actor=user, now=now)
    return user


# --- Changing ---------------------------------------------------------------------------------------------------------


def request_email_change(*, user_id: int, email: str, current_password: str, actor: Actor, now: datetime) -> None:
    """Ask for another address. Nothing changes until the link that is mailed to it is used.

    Whether somebody has that address already is looked at by a worker, and told to its owner only.

    :raises InvalidInput: the current password is wrong, or it is the account's address already.
    :raises Throttled: the password was wrong too often, or too many changes were asked for.
    """
    user = CustomUser.objects.get(pk=user_id)
    subject = f"user:{user_id}"
    enforce(password_limit(), subject)
    if not check_password(current_password, user.password):
        raise InvalidInput.field("current_password", "wrong_password", "This is not your password.")
    password_limit().give_back(subject)
    if address_key(email) == user.email_key:
        raise InvalidInput.field("email", "same_email", "This is your address already.")
    enforce(Limit("email-change", MAILS_PER_HOUR, timedelta(hours=1), strict=True), subject)
    _owe_change(
        user_id=user_id, email=CustomUser.objects.normalize_email(email), old_hash=user.password, actor=actor, now=now
    )


@unit_of_work
def _owe_change(*, user_id: int, email: str, old_hash: str, actor: Actor, now: datetime) -> None:
    user = locked(user_id)
    if user.password != old_hash:  # replaced since it was checked: then this caller does not know it
        raise InvalidInput.field("current_password", "wrong_password", "This is not your password.")
    link = make_link(user=user, purpose=Purpose.CHANGE_EMAIL, email=email, now=now, next_attempt_at=now)
    touch(user)
    record(user, "email", before="", after="change requested", actor=actor, now=now)
    signals.email_change_requested.send(sender=AccountLink, link=link, now=now)
    signals.email_change_owed.send(sender=AccountLink, link_id=link.pk)


@unit_of_work
def cancel_email_change(*, user_id: int, actor: Actor, now: datetime) -> None:
    """Forget the address that a user asked to change to; its link ends."""
    user = locked(user_id)
    reason = AccountLink.CloseReason.CANCELLED
    if close_links(user=user, purpose=Purpose.CHANGE_EMAIL, reason=reason, now=now):
        touch(user)
        record(user, "email", before="change requested", after="cancelled", actor=actor, now=now)


def answer_email_change(*, link_id: int, now: datetime) -> None:
    """Write to the address that somebody wants to change to. May run any number of times."""
    link = AccountLink.objects.filter(AccountLink.due(now), pk=link_id, closed_at=None).first()
    if link is not None:
        attempt(link, lambda: _answer_change(link, now), now=now)


def _answer_change(link: AccountLink, now: datetime) -> None:
    with counted_mail(link.email, Purpose.CHANGE_EMAIL) as may_write:
        _settle_change(link_id=link.pk, write=may_write, now=now)


@unit_of_work
def _settle_change(*, link_id: int, write: bool, now: datetime) -> None:
    link = AccountLink.objects.select_for_update(no_key=True).get(pk=link_id)
    if not link.is_due(now):
        return  # another worker was here
    link.work_is_done()
    link.save(update_fields=link.WORK_COLUMNS)
    if not write:
        return
    owner = CustomUser.objects.with_email(link.email)
    if owner is None:
        signals.account_link_owed.send(sender=AccountLink, link=link, now=now)
    else:
        signals.address_in_use.send(sender=CustomUser, user=owner, now=now)


def confirm_email_change(*, token: str, now: datetime) -> CustomUser:
    """Change a user's address to the one that the link was mailed to. Sessions go on: the password is the same.

    Links that were mailed to the old address end.

    :raises LinkNotValid: there is no such link, or it has ended.
    :raises EmailTaken: somebody else has the address by now.
    """
    link = find_link(token=token, purpose=Purpose.CHANGE_EMAIL, now=now)
    return _change_email(link_id=link.pk, now=now)


@unit_of_work
def _change_email(*, link_id: int, now: datetime) -> CustomUser:
    link, user = use_link(link_id=link_id, now=now)
    old_email, user.email, user.email_verified_at = user.email, link.email, now
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_verified_at"])
    except IntegrityError as error:
        raise EmailTaken from error
    touch(user)
    record(user, "email", before="", after="changed", actor=user, now=now)
    signals.email_changed.send(sender=CustomUser, user=user, old_email=old_email, now=now)
    return user
