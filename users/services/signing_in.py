"""Signing in, guarded against guessing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db.models import Q
from rest_framework.exceptions import Throttled

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.throttling import Limit, enforce
from users.models import AccountLink, CustomUser, UserSession, address_key, comparison_key
from users.services.links import counted_mail, send_link
from users.services.tokens import TokenPair, address_mark, start_session

WINDOW = timedelta(minutes=5)
# How long an address stays one that its person is known to sign in from.
FAMILIAR_FOR = timedelta(days=30)
Reason = UserSession.RevokeReason


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    title = "There is no active account with this name and password."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="api"'})


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    status = 403
    title = "Confirm your e-mail address first: we have sent you a link."


def sign_in(*, login: str, password: str, address: str, now: datetime, user_agent: str = "") -> TokenPair:
    """Begin a session for a user name or e-mail address with its password.

    :raises InvalidCredentials: no such user, a wrong password or an inactive account: the same answer at the same cost.
    :raises EmailNotVerified: the password is right, but the address has to be confirmed first; a new link is sent.
    :raises Throttled: too many failures, for this account or from this address.
    """
    user = find_by_credentials(login=login, password=password, address=address, now=now)
    if user is None:
        raise InvalidCredentials
    return start_session(user=user, now=now, user_agent=user_agent, address=address)


def find_by_credentials(*, login: str, password: str, address: str | None, now: datetime) -> CustomUser | None:
    """Return the active user with this name or e-mail address and password, or None.

    Attempts are counted before the password is looked at, so that parallel ones cannot slip through; those that succeed
    are given back. Call outside of a transaction: hashing is slow, and a rollback would forget the count.

    :raises EmailNotVerified: see ``sign_in``.
    :raises Throttled: see ``sign_in``.
    """
    user = find_by_login(login)
    counted = _count_attempt(login, user, address, now)
    # Without a user this runs the hasher all the same: the time must not tell who has an account.
    correct = user.check_password(password) if user else check_password(password, "")
    if user is None or not correct or not user.is_active or counted is None:
        return None
    for limit, subject in counted:
        limit.give_back(subject)
    _require_verified(user, now)
    return user


def find_by_login(login: str) -> CustomUser | None:
    """Return the user with this name or e-mail address, however it is spelled."""
    key = login_key(login)
    return CustomUser.objects.filter(**{"email_key" if "@" in key else "username_key": key}).first()


def login_key(login: str) -> str:
    """Return what the spellings of one name or e-mail address have in common."""
    # A username never contains "@".
    return address_key(login) if "@" in comparison_key(login) else comparison_key(login)


def _require_verified(user: CustomUser, now: datetime) -> None:
    if settings.EMAIL_VERIFICATION != "required" or user.email_verified_at is not None:
        return
    purpose = AccountLink.Purpose.VERIFY_EMAIL
    with counted_mail(user.email, purpose) as may_write:
        if may_write:
            send_link(user_id=user.pk, purpose=purpose, now=now)
    raise EmailNotVerified


# --- Limits -----------------------------------------------------------------------------------------------------------


def _count_attempt(
    login: str, user: CustomUser | None, address: str | None, now: datetime
) -> list[tuple[Limit, str]] | None:
    """Count an attempt and return where it was counted, or None if it must fail with the right password too.

    It is counted for what was typed and for the account: an attacker has no second go under the e-mail address. Only
    the former is told. That a name is locked because an address was tried would tell that both are one person's.

    Once strangers have used up what an account may fail, whoever comes from an address that this account was used
    from lately has as many attempts of their own: nobody can lock somebody else out.

    :raises Throttled: a limit is used up.
    """
    counted = []
    if address is not None:
        enforce(address_limit(), address)
        counted.append((address_limit(), address))
    typed = f"name:{login_key(login)}"
    account = f"user:{user.pk}" if user else f"nobody:{login_key(login)}"
    told, untold = (account_limit().count(subject) for subject in (typed, account))
    counted += [(account_limit(), typed), (account_limit(), account)]
    used_up = told is not None and told.exceeded
    if not used_up and (untold is None or not untold.exceeded):
        return counted
    user_id = user.pk if user else 0
    # Asked for names that nobody has as well: the time must not tell.
    if address is not None and _is_familiar(user_id, address, now):
        own = f"{account}:{address_mark(user_id, address)}"
        enforce(familiar_limit(), own)
        return [*counted, (familiar_limit(), own)]
    if told is not None and used_up:
        raise Throttled(wait=told.reset_seconds)
    return None


def _is_familiar(user_id: int, address: str, now: datetime) -> bool:
    """Return whether the account was lately used from this address, and that was not found to be a thief's use."""
    sessions = UserSession.objects.filter(
        user_id=user_id, address_mark=address_mark(user_id, address), last_refreshed_at__gt=now - FAMILIAR_FOR
    )
    return sessions.filter(Q(revoked_at=None) | Q(revoke_reason__in=[Reason.SIGNED_OUT, Reason.ROLE_CHANGED])).exists()


def account_limit() -> Limit:
    return Limit("sign-in-account", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True)


def familiar_limit() -> Limit:
    """Of attempts at one account from one address that it was used from lately, once the account's own is used up."""
    return Limit("sign-in-familiar", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True)


def password_limit() -> Limit:
    """Of tries at the current password by who is signed in: strangers who fail to sign in must not use it up."""
    return Limit("change-password", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True)


def address_limit() -> Limit:
    return Limit("sign-in-address", settings.SIGN_IN_ADDRESS_LIMIT, WINDOW, strict=True)


def registration_limit() -> Limit:
    """Of registrations per address; all of them count."""
    return Limit("register-address", settings.SIGN_IN_ADDRESS_LIMIT, WINDOW, strict=True)
