"""Accounts: registering, editing one's own, and what administrators decide."""

import re
from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.conditional import ANY_VERSION, ExpectedVersion
from eventhub_config.shared.errors import DomainError, Forbidden, InvalidInput
from eventhub_config.shared.throttling import enforce
from eventhub_config.shared.transactions import unit_of_work
from users import signals
from users.models import (
    AccountLink,
    CustomUser,
    OrganizerProfile,
    UserProfile,
    UserSession,
    address_key,
    apply_role,
    comparison_key,
)
from users.services.links import owe_link
from users.services.rows import locked, record
from users.services.signing_in import password_limit
from users.services.tokens import TokenPair, end_tokens, renew_session, start_session

UserType = CustomUser.UserType
SELF_SERVICE_TYPES = (UserType.ATTENDEE, UserType.ORGANIZER)
OWN_NAMES = ("first_name", "last_name")
ORGANIZER_DETAILS = ("legal_name", "legal_address", "tax_id", "invoice_prefix")
# Given by us, from the user's id: nobody may take somebody else's.
_GIVEN_PREFIX = re.compile(r"EH[0-9]+")


class OwnAccount(DomainError):
    code = "own_account"
    title = "You cannot do this to your own account; ask another administrator."


# --- Registering ------------------------------------------------------------------------------------------------------


def register_user(
    *,
    username: str,
    email: str,
    password: str,
    now: datetime,
    user_type: str = UserType.ATTENDEE,
    first_name: str = "",
    last_name: str = "",
    actor: Actor | None = None,
    verified: bool = False,
) -> CustomUser:
    """Make an account for an attendee or an organizer; without ``actor``, by that person themself.

    Unless the address counts as ``verified``, a link to confirm it is mailed to it.

    :raises InvalidInput: the name or address is taken, the password is weak, or the type is not for everybody.
    """
    unsaved = new_account(
        username=username, email=email, user_type=user_type, first_name=first_name, last_name=last_name
    )
    if errors := [*taken(unsaved), *weak("password", password, unsaved)]:
        raise InvalidInput(errors=errors)
    # Hashing takes a while: before the transaction, which on SQLite holds the only write lock.
    unsaved.password = make_password(password)
    return insert_account(unsaved, actor=actor, verified=verified, now=now)


def new_account(*, username: str, email: str, user_type: str, first_name: str, last_name: str) -> CustomUser:
    """Return an unsaved account of somebody who registers.

    :raises InvalidInput: the type is not for everybody.
    """
    if user_type not in SELF_SERVICE_TYPES:
        raise InvalidInput.field("user_type", "invalid_choice", "Register as attendee or organizer.")
    return CustomUser(
        username=CustomUser.normalize_username(username),
        email=CustomUser.objects.normalize_email(email),
        user_type=user_type,
        first_name=first_name,
        last_name=last_name,
    )


@unit_of_work
def insert_account(unsaved: CustomUser, *, actor: Actor | None, verified: bool, now: datetime) -> CustomUser:
    """Insert the account of somebody who registers.

    :raises InvalidInput: somebody else was quicker.
    """
    # A copy: a second try of this unit of work must find nothing of the first on it.
    user = copy(unsaved)
    user.date_joined = now
    if verified:
        user.email_verified_at = now
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if errors := taken(user):
            raise InvalidInput(errors=errors) from error
        raise
    _welcome(user, actor=actor or user, now=now)
    return user


@unit_of_work
def add_user(*, user: CustomUser, actor: Actor, now: datetime) -> CustomUser:
    """Insert an unsaved user of any type, as administrators may. They vouch for the address.

    :raises Forbidden: the actor is no administrator.
    """
    _require_administrator(actor)
    user.email_verified_at = now
    user.save()
    _welcome(user, actor=actor, now=now)
    return user


@unit_of_work
def edit_user(*, user: CustomUser, columns: Iterable[str], actor: Actor, now: datetime) -> None:
    """Save what an administrator has edited on a user as they read them: names and address, which they vouch for.

    :raises Forbidden: the actor is no administrator.
    """
    _require_administrator(actor)
    before = locked(user.pk)
    edited = sorted(set(columns) & set(user.unprotected_columns()))
    user.save(update_fields=edited)
    record(user, ", ".join(edited), before="", after="edited", actor=actor, now=now)
    if user.email_key != before.email_key:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
        signals.email_changed.send(sender=CustomUser, user=user, old_email=before.email, now=now)
    if user.display_name != before.display_name:
        signals.user_renamed.send(sender=CustomUser, user=user)


def _welcome(user: CustomUser, *, actor: Actor, now: datetime) -> None:
    record(user, "user_type", before="", after=user.user_type, actor=actor, now=now)
    signals.user_registered.send(sender=CustomUser, user=user)
    if user.email_verified_at is None:
        owe_link(user=user, purpose=AccountLink.Purpose.VERIFY_EMAIL, now=now)


def taken(user: CustomUser) -> list[dict[str, str]]:
    """Return what of an unsaved account somebody else has."""
    errors = []
    if CustomUser.objects.filter(username_key=comparison_key(user.username)).exists():
        errors.append({"field": "username", "code": "username_taken", "message": "This username is taken."})
    if CustomUser.objects.filter(email_key=address_key(user.email)).exists():
        errors.append({"field": "email", "code": "email_taken", "message": "This e-mail address is taken."})
    return errors


def weak(field: str, password: str, user: CustomUser) -> list[dict[str, str]]:
    """Return what is wrong with a new password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [
            {"field": field, "code": str(item.code), "message": " ".join(item.messages)} for item in error.error_list
        ]
    return []


# --- One's own account ------------------------------------------------------------------------------------------------


@unit_of_work
def update_own_account(
    *, user_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime, expected: ExpectedVersion = ANY_VERSION
) -> CustomUser:
    """Change what people may change about themselves; everything else in ``changes`` is left alone.

    :raises VersionMismatch: it was changed since the caller read it.
    :raises InvalidInput: the invoice prefix is taken.
    """
    user = locked(user_id)
    expected.check(user.profile.version)
    name_before = user.display_name
    for name in OWN_NAMES:
        if name in changes:
            setattr(user, name, changes[name])
    user.save(update_fields=OWN_NAMES)
    for name, value in changes.get("profile", {}).items():
        setattr(user.profile, name, value)
    user.profile.version += 1
    user.profile.save()
    details = {name: changes[name] for name in ORGANIZER_DETAILS if name in changes}
    if details and user.user_type == UserType.ORGANIZER:
        _update_organizer_details(user.organizer_profile, details)
    # Which columns, not their values: history is not a second place for personal data.
    edited = ", ".join(sorted({*changes, *changes.get("profile", {})} - {"profile"}))
    record(user, edited, before="", after="edited", actor=actor, now=now)
    if user.display_name != name_before:
        signals.user_renamed.send(sender=CustomUser, user=user)
    return user


def _update_organizer_details(details: OrganizerProfile, changes: Mapping[str, str]) -> None:
    taken = InvalidInput.field("invoice_prefix", "invoice_prefix_taken", "This prefix is taken.")
    prefix = changes.get("invoice_prefix", details.invoice_prefix)
    if _GIVEN_PREFIX.fullmatch(prefix) and prefix != f"EH{details.user_id}":
        raise taken
    for name, value in changes.items():
        setattr(details, name, value)
    try:
        with transaction.atomic():
            details.save()
    except IntegrityError as error:
        raise taken from error


def change_password(
    *, user_id: int, current_password: str, new_password: str, session_id: int | None, actor: Actor, now: datetime
) -> TokenPair:
    """Set a new password, end every token, and return a new pair for the session that asked.

    :raises InvalidInput: the current password is wrong, or the new one is weak.
    :raises Throttled: the current password was wrong too often.
    """
    user = CustomUser.objects.get(pk=user_id)
    wrong = InvalidInput.field("current_password", "wrong_password", "This is not your password.")
    subject = f"user:{user.pk}"
    enforce(password_limit(), subject)
    if not user.check_password(current_password):
        raise wrong
    password_limit().give_back(subject)
    if errors := weak("new_password", new_password, user):
        raise InvalidInput(errors=errors)
    pair = _replace_password(
        user_id=user_id,
        old_hash=user.password,
        new_hash=make_password(new_password),
        session_id=session_id,
        actor=actor,
        now=now,
    )
    if pair is None:
        raise wrong
    return pair


@unit_of_work
def _replace_password(
    *, user_id: int, old_hash: str, new_hash: str, session_id: int | None, actor: Actor, now: datetime
) -> TokenPair | None:
    """Return new tokens, or None if the password was replaced since it was checked."""
    user = locked(user_id)
    if user.password != old_hash:
        return None
    set_password_hash(user, new_hash, actor=actor, now=now, except_session=session_id)
    if session_id is None:
        return start_session(user=user, now=now)
    return renew_session(session_id=session_id, user=user, now=now)


def set_password_hash(
    user: CustomUser, new_hash: str, *, actor: Actor, now: datetime, except_session: int | None = None
) -> None:
    """Store a checked password's hash and end every token. Call inside a unit of work that has locked the user."""
    user.password = new_hash
    user.save(update_fields=["password"])
    end_tokens(user=user, reason=UserSession.RevokeReason.PASSWORD_CHANGED, now=now, except_session=except_session)
    record(user, "password", before="", after="changed", actor=actor, now=now)
    signals.password_changed.send(sender=CustomUser, user=user, now=now)


# --- What administrators decide ---------------------------------------------------------------------------------------


@unit_of_work
def update_account(
    *,
    user_id: int,
    actor: Actor,
    now: datetime,
    user_type: str | None = None,
    is_active: bool | None = None,
    organizer_status: str | None = None,
) -> CustomUser:
    """Change what administrators may change about an account; None leaves it as it is. See the functions below."""
    _administered(user_id, actor)
    if user_type is not None:
        change_role(user_id=user_id, user_type=user_type, actor=actor, now=now)
    if organizer_status is not None:
        set_organizer_status(user_id=user_id, organizer_status=organizer_status, actor=actor, now=now)
    if is_active is not None:
        set_active(user_id=user_id, is_active=is_active, actor=actor, now=now)
    return locked(user_id)


@unit_of_work
def change_role(*, user_id: int, user_type: str, actor: Actor, now: datetime) -> CustomUser:
    """Give a user another role and end every token they have.

    :raises Forbidden: the actor is no administrator.
    :raises OwnAccount: administrators cannot demote themselves.
    """
    user = _administered(user_id, actor)
    if user.user_type == user_type:
        return user
    if user == actor:
        raise OwnAccount
    before, user.user_type = user.user_type, user_type
    apply_role(user)
    end_tokens(user=user, reason=UserSession.RevokeReason.ROLE_CHANGED, now=now)
    touch(user)
    record(user, "user_type", before=before, after=user_type, actor=actor, now=now)
    return user


@unit_of_work
def set_active(*, user_id: int, is_active: bool, actor: Actor, now: datetime) -> CustomUser:
    """Let a user in again, or out for good: then every token they have ends.

    :raises Forbidden: the actor is no administrator.
    :raises OwnAccount: administrators cannot lock themselves out.
    """
    user = _administered(user_id, actor)
    if user.is_active == is_active:
        return user
    if user == actor:
        raise OwnAccount
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    end_tokens(user=user, reason=UserSession.RevokeReason.DEACTIVATED, now=now)
    before, after = ("inactive", "active") if is_active else ("active", "inactive")
    record(user, "is_active", before=before, after=after, actor=actor, now=now)
    return user


@unit_of_work
def set_organizer_status(*, user_id: int, organizer_status: str, actor: Actor, now: datetime) -> CustomUser:
    """Approve an organizer, or not.

    :raises Forbidden: the actor is no administrator.
    :raises InvalidInput: the user is no organizer.
    """
    user = _administered(user_id, actor)
    if user.user_type != UserType.ORGANIZER:
        raise InvalidInput.field("organizer_status", "not_an_organizer", "This user is no organizer.")
    if user.organizer_status == organizer_status:
        return user
    before, user.organizer_status = user.organizer_status, organizer_status
    user.save(update_fields=["organizer_status"])
    touch(user)
    record(user, "organizer_status", before=before, after=organizer_status, actor=actor, now=now)
    signals.organizer_status_changed.send(sender=CustomUser, user=user, now=now)
    return user


def _administered(user_id: int, actor: Actor) -> CustomUser:
    _require_administrator(actor)
    return locked(user_id)


def _require_administrator(actor: Actor) -> None:
    if not isinstance(actor, System) and not getattr(actor, "is_platform_admin", False):
        raise Forbidden


def touch(user: CustomUser) -> None:
    """Let the ETag of ``users/me/`` change."""
    UserProfile.objects.filter(user=user).update(version=F("version") + 1)
