"""Signing in, guarded against guessing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.throttling import Limit, enforce
from users.models import CustomUser, comparison_key
from users.services.tokens import TokenPair, start_session

WINDOW = timedelta(minutes=5)


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    title = "There is no active account with this name and password."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="api"'})


def sign_in(*, login: str, password: str, address: str, now: datetime, user_agent: str = "") -> TokenPair:
    """Begin a session for a user name or e-mail address with its password.

    :raises InvalidCredentials: no such user, a wrong password or an inactive account: the same answer at the same cost.
    :raises Throttled: too many failures, for this account or from this address.
    """
    user = find_by_credentials(login=login, password=password, address=address)
    if user is None:
        raise InvalidCredentials
    return start_session(user=user, now=now, user_agent=user_agent)


def find_by_credentials(*, login: str, password: str, address: str | None) -> CustomUser | None:
    """Return the active user with this name or e-mail address and password, or None.

    Attempts are counted before the password is looked at, so that parallel ones cannot slip through; those that succeed
    are given back. Call outside of a transaction: hashing is slow, and a rollback would forget the count.

    :raises Throttled: see ``sign_in``.
    """
    user = _find(login)
    # By account, so that an attacker has no second go under the e-mail address.
    account = f"user:{user.pk}" if user else f"name:{comparison_key(login)}"
    if address is not None:
        enforce(address_limit(), address)
    enforce(account_limit(), account)
    # Without a user this runs the hasher all the same: the time must not tell who has an account.
    correct = user.check_password(password) if user else check_password(password, "")
    if user is None or not correct or not user.is_active:
        return None
    account_limit().give_back(account)
    if address is not None:
        address_limit().give_back(address)
    return user


def _find(login: str) -> CustomUser | None:
    key = comparison_key(login)
    # A username never contains "@".
    return CustomUser.objects.filter(**{"email_key" if "@" in key else "username_key": key}).first()


def account_limit() -> Limit:
    return Limit("sign-in-account", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True)


def password_limit() -> Limit:
    """Of tries at the current password by who is signed in: strangers who fail to sign in must not use it up."""
    return Limit("change-password", settings.SIGN_IN_ACCOUNT_LIMIT, WINDOW, strict=True)


def address_limit() -> Limit:
    return Limit("sign-in-address", settings.SIGN_IN_ADDRESS_LIMIT, WINDOW, strict=True)


def registration_limit() -> Limit:
    """Of registrations per address; all of them count."""
    return Limit("register-address", settings.SIGN_IN_ADDRESS_LIMIT, WINDOW, strict=True)
