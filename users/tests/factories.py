"""Users and their tokens for tests, of this app and of those above."""

from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from model_bakery import baker
from rest_framework.test import APIClient

from users.models import AccountLink, CustomUser, UserSession
from users.services.links import make_link
from users.services.tokens import TokenPair, start_session

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "a pass phrase for tests"
_numbers = count(1)


@cache
def password_hash() -> str:
    return make_password(PASSWORD)


def a_user(**fields: Any) -> CustomUser:
    """Make an attendee, with ``PASSWORD`` unless told otherwise."""
    number = next(_numbers)
    fields = {"username": f"user{number}", "email": f"user{number}@example.com", "password": password_hash()} | fields
    user: CustomUser = baker.make(CustomUser, **fields)
    return user


def an_organizer(**fields: Any) -> CustomUser:
    return a_user(**{"user_type": CustomUser.UserType.ORGANIZER} | fields)


def an_admin(**fields: Any) -> CustomUser:
    return a_user(**{"user_type": CustomUser.UserType.ADMIN} | fields)


def tokens_for(user: CustomUser, *, now: datetime | None = None) -> TokenPair:
    return start_session(user=user, now=now or timezone.now())


def a_session(user: CustomUser | None = None) -> UserSession:
    start_session(user=user or a_user(), now=timezone.now())
    return UserSession.objects.latest("pk")


def a_client(tokens: TokenPair | None = None, *, address: str = "127.0.0.1") -> APIClient:
    """Make a client with a real token, or an anonymous one; what goes wrong is answered, not raised."""
    client = APIClient(REMOTE_ADDR=address, raise_request_exception=False)
    if tokens is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    return client


def a_client_of(user: CustomUser) -> APIClient:
    return a_client(tokens_for(user))


def a_link(user: CustomUser, purpose: str, *, email: str = "", now: datetime | None = None) -> AccountLink:
    return make_link(
        user=user, purpose=AccountLink.Purpose(purpose), email=email or user.email, now=now or timezone.now()
    )
