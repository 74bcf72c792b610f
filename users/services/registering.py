"""Registering where an address has to be confirmed first: nobody learns who has an account."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password

from eventhub_config.shared.errors import DomainError, InvalidInput
from eventhub_config.shared.transactions import unit_of_work
from users import signals
from users.models import CustomUser, PendingRegistration, address_key
from users.services.accounts import UserType, insert_account, new_account, weak
from users.services.addresses import verify_email
from users.services.links import REGISTRATION, LinkNotValid, counted_mail, read_token
from users.services.owed import attempt


class UsernameTaken(DomainError):
    code = "username_taken"
    title = "Somebody has this username. Send the link's token again, with another username."


def request_registration(
    *,
    username: str,
    email: str,
    password: str,
    now: datetime,
    user_type: str = UserType.ATTENDEE,
    first_name: str = "",
    last_name: str = "",
) -> None:
    """Note that somebody wants an account. It is made when the link that is mailed to their address is used.

    Nobody is looked up here: a worker does that. What this takes, and how long, does not depend on who has an account.

    :raises InvalidInput: the password is weak, or the type is not for everybody.
    """
    unsaved = new_account(
        username=username, email=email, user_type=user_type, first_name=first_name, last_name=last_name
    )
    if errors := weak("password", password, unsaved):
        raise InvalidInput(errors=errors)
    unsaved.password = make_password(password)
    _owe_registration(unsaved, now)


@unit_of_work
def _owe_registration(unsaved: CustomUser, now: datetime) -> None:
    columns = ("username", "email", "password", "user_type", "first_name", "last_name")
    pending = PendingRegistration.objects.create(
        **{name: getattr(unsaved, name) for name in columns},
        email_key=address_key(unsaved.email),
        created_at=now,
        expires_at=now + settings.LINK_LIFETIMES["verify_email"],
        next_attempt_at=now,
    )
    signals.registration_requested.send(sender=PendingRegistration, pending_id=pending.pk)


def answer_registration(*, pending_id: int, now: datetime) -> None:
    """Write to the address of a registration: a link, or that it has an account. May run any number of times."""
    pending = PendingRegistration.objects.filter(PendingRegistration.due(now), pk=pending_id).first()
    if pending is not None:
        attempt(pending, lambda: _answer(pending, now), now=now)


def _answer(pending: PendingRegistration, now: datetime) -> None:
    with counted_mail(pending.email, REGISTRATION) as may_write:
        _settle(pending_id=pending.pk, write=may_write, now=now)


@unit_of_work
def _settle(*, pending_id: int, write: bool, now: datetime) -> None:
    pending = PendingRegistration.objects.select_for_update(no_key=True).filter(pk=pending_id).first()
    if pending is None or not pending.is_due(now):
        return  # another worker was here
    owner = CustomUser.objects.with_email(pending.email)
    if owner is not None or not write:
        pending.delete()
        if write:
            signals.address_in_use.send(sender=CustomUser, user=owner, now=now)
        return
    pending.work_is_done()
    pending.save(update_fields=pending.WORK_COLUMNS)
    signals.registration_link_owed.send(sender=PendingRegistration, pending=pending, now=now)


def confirm_address(*, token: str, username: str | None, now: datetime) -> CustomUser:
    """Take the address that a link was mailed to for confirmed, and make the account if it waited for that.

    ``username`` replaces the one that was asked for at registration.

    :raises LinkNotValid: there is no such link, or it has ended.
    :raises UsernameTaken: somebody has the username. The link can be used again.
    """
    said = read_token(token)
    if said.purpose != REGISTRATION:
        return verify_email(token=token, now=now)
    return _register(pending_id=said.pk, made_at=said.made_at, username=username, now=now)


@unit_of_work
def _register(*, pending_id: int, made_at: datetime, username: str | None, now: datetime) -> CustomUser:
    key = PendingRegistration.objects.filter(pk=pending_id).values_list("email_key", flat=True).first()
    # All of that address, in their order: each that is confirmed deletes the others.
    rivals = PendingRegistration.objects.select_for_update().filter(email_key=key).order_by("pk")
    pending = next((row for row in rivals if row.pk == pending_id), None)
    if pending is None or pending.created_at != made_at or pending.expires_at <= now:
        raise LinkNotValid
    unsaved = new_account(
        username=username or pending.username,
        email=pending.email,
        user_type=pending.user_type,
        first_name=pending.first_name,
        last_name=pending.last_name,
    )
    unsaved.password = pending.password
    try:
        user = insert_account(unsaved, actor=None, verified=True, now=now)
    except InvalidInput as error:
        # The address belongs to who uses the link: that somebody else got it meanwhile ends the link.
        fields = {item["field"] for item in error.errors}
        raise (LinkNotValid if "email" in fields else UsernameTaken) from error
    rivals.delete()
    return user
