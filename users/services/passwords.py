"""Setting a new password by a link in a mail, without telling anybody who has an account."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.throttling import Limit, enforce
from eventhub_config.shared.transactions import unit_of_work
from users import signals
from users.models import AccountLink, PasswordResetRequest, comparison_key
from users.services.accounts import set_password_hash, touch, weak
from users.services.links import counted_mail, find_link, owe_link, use_link
from users.services.owed import attempt
from users.services.rows import locked
from users.services.signing_in import WINDOW, find_by_login

RESET = AccountLink.Purpose.RESET_PASSWORD


def request_password_reset(*, login: str, address: str, now: datetime) -> None:
    """Note that somebody wants to reset the password of a user name or e-mail address.

    Nobody is looked up here: a worker does that. What this takes, and how long, does not depend on who has an account.

    :raises Throttled: too many such requests from this address or for this name.
    """
    enforce(Limit("reset-address", settings.SIGN_IN_ADDRESS_LIMIT, WINDOW, strict=True), address)
    enforce(Limit("reset-login", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True), comparison_key(login))
    _owe_reset(login, now)


@unit_of_work
def _owe_reset(login: str, now: datetime) -> None:
    request = PasswordResetRequest.objects.create(login=login, created_at=now, next_attempt_at=now)
    signals.password_reset_requested.send(sender=PasswordResetRequest, request_id=request.pk)


def answer_password_reset(*, request_id: int, now: datetime) -> None:
    """Mail a link to whom a request is about, if to anybody, and forget the request. May run any number of times.

    An address gets a few such mails per hour; beyond, the last link keeps its worth and nothing is said.
    """
    request = PasswordResetRequest.objects.filter(PasswordResetRequest.due(now), pk=request_id).first()
    if request is not None:
        attempt(request, lambda: _answer(request, now), now=now)


def _answer(request: PasswordResetRequest, now: datetime) -> None:
    user = find_by_login(request.login)
    if user is None or not user.is_active:
        _settle(request_id=request.pk, user_id=None, now=now)
        return
    with counted_mail(user.email, RESET) as may_write:
        _settle(request_id=request.pk, user_id=user.pk if may_write else None, now=now)


@unit_of_work
def _settle(*, request_id: int, user_id: int | None, now: datetime) -> None:
    user = locked(user_id) if user_id else None
    # Whoever deletes the row writes the mail: of two workers, the second finds nothing to delete.
    deleted, _ = PasswordResetRequest.objects.filter(pk=request_id).delete()
    if deleted and user is not None and user.is_active:
        owe_link(user=user, purpose=RESET, now=now)


def reset_password(*, token: str, new_password: str, now: datetime) -> None:
    """Set a new password by the link that was mailed for it, or a first one by an invitation, and end every session.

    That also confirms the address: whoever has the link reads its mail.

    :raises LinkNotValid: there is no such link, or it has ended.
    :raises InvalidInput: the password is weak. The link can be used again.
    """
    link = find_link(token=token, purpose=RESET, now=now, or_else=AccountLink.Purpose.INVITATION)
    if errors := weak("new_password", new_password, link.user):
        raise InvalidInput(errors=errors)
    _reset(link_id=link.pk, new_hash=make_password(new_password), now=now)


@unit_of_work
def _reset(*, link_id: int, new_hash: str, now: datetime) -> None:
    _link, user = use_link(link_id=link_id, now=now)
    if user.email_verified_at is None:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
    set_password_hash(user, new_hash, actor=user, now=now)
    touch(user)


@unit_of_work
def password_was_set(*, user_id: int, actor: Actor, now: datetime) -> None:
    """Do what follows when an administrator has set a password on a form: every token ends, and the user is told."""
    user = locked(user_id)
    set_password_hash(user, user.password, actor=actor, now=now)
