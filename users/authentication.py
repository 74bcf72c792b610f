"""Who is calling: a bearer token of a session that still lives."""

from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from users.models import CustomUser
from users.services.tokens import TokenNotValid, claims_of, living_user


class SessionTokenAuthentication(JWTAuthentication):
    """Accepts an access token while its session, its user and its version of them live: one query."""

    def get_user(self, validated_token: Token) -> CustomUser:  # type: ignore[override]
        try:
            return living_user(claims_of(validated_token))
        except TokenNotValid as error:
            raise InvalidToken from error


def signed_in(request: Request | HttpRequest) -> CustomUser:
    """Return the user of a request that got past ``SignedIn`` or a stricter permission."""
    return cast(CustomUser, request.user)


def session_id_of(request: Request) -> int | None:
    """Return the id of the session that a request came under, or None when it did not come with a token."""
    return claims_of(request.auth).session_id if isinstance(request.auth, Token) else None


def bearer_token(request: Request) -> str:
    """Return the token in the request's ``Authorization`` header, unchecked; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme == "Bearer" else ""
