"""Sessions and their tokens: the whole family of rules.

- A sign-in is a row (``UserSession``). Its tokens name it (``session_id``) and the user's ``token_version``; both are
  looked up on every request, so that a log-out, a new password, a deactivation or a new role ends access at once.
- One refresh token of a session is the living one. Refreshing replaces it (rotation), under the session's row lock.
- Right after, for ``JWT_REFRESH_GRACE``, its predecessor still answers, with the same successor: two tabs that refresh
  together are not theft. Later, or with any older token, somebody has a copy: the session ends for both.

Source: RFC 9700 (OAuth 2.0 security), section 4.14.2, refresh token rotation and reuse detection. The library's own
rotation lets parallel refreshes each have a successor, and a thief's successor live on; hence this module.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token, UntypedToken

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.transactions import unit_of_work
from users.models import CustomUser, UserSession

SESSION_CLAIM = "session_id"
VERSION_CLAIM = "token_version"


class TokenNotValid(DomainError):
    code = "token_not_valid"
    status = 401
    title = "The token is invalid, expired or revoked."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="api"'})


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


@dataclass(frozen=True)
class Claims:
    """What a token of ours says."""

    kind: str
    session_id: int
    user_id: int
    token_version: int
    jti: str
    expires_at: datetime


def claims_of(token: Token) -> Claims:
    """Return the claims of a token whose signature and lifetime were checked.

    :raises TokenNotValid: it lacks a claim: signed with our key, but not by this module.
    """
    payload = token.payload
    try:
        return Claims(
            kind=payload["token_type"],
            session_id=int(payload[SESSION_CLAIM]),
            user_id=int(payload["user_id"]),
            token_version=int(payload[VERSION_CLAIM]),
            jti=payload["jti"],
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TokenNotValid from error


# --- Looking ----------------------------------------------------------------------------------------------------------


# Not through the ORM: putting the statement together takes it longer than running it (0.7 ms against 0.2 ms in all).
_LIVING_USER = """
SELECT person.*
  FROM users_customuser AS person
  JOIN users_usersession AS session ON session.user_id = person.id
 WHERE session.id = %s AND session.revoked_at IS NULL
   AND person.id = %s AND person.token_version = %s AND person.is_active
"""


def living_user(claims: Claims) -> CustomUser:
    """Return the user whom an access token speaks for. On the path of every request: one query.

    :raises TokenNotValid: the session, the user or this version of their tokens has ended.
    """
    found = CustomUser.objects.raw(_LIVING_USER, [claims.session_id, claims.user_id, claims.token_version])
    for user in found:
        return user
    raise TokenNotValid


def verify_token(*, token: str, now: datetime) -> Claims:
    """Return the claims of an access or refresh token that would be accepted now.

    :raises TokenNotValid: it would not.
    """
    claims = _read(UntypedToken, token)
    session = UserSession.objects.select_related("user").filter(pk=claims.session_id).first()
    if session is None or not _is_alive(session, claims):
        raise TokenNotValid
    if claims.kind == RefreshToken.token_type and not (
        claims.jti == session.current_jti or _is_in_grace(session, claims, now)
    ):
        raise TokenNotValid
    return claims


def _read(kind: type[Token], token: str) -> Claims:
    try:
        return claims_of(kind(token))  # type: ignore[arg-type]  # the library means its encoded form
    except TokenError as error:
        raise TokenNotValid from error


def _is_alive(session: UserSession, claims: Claims) -> bool:
    user = session.user
    return (
        session.revoked_at is None
        and user.is_active
        and user.pk == claims.user_id
        and user.token_version == claims.token_version
    )


def _is_in_grace(session: UserSession, claims: Claims, now: datetime) -> bool:
    # A request that waited for the lock was sent before the rotation: its `now` may lie before it.
    return claims.jti == session.previous_jti and now - session.last_refreshed_at <= settings.JWT_REFRESH_GRACE


# --- Beginning and going on -------------------------------------------------------------------------------------------


def start_session(*, user: CustomUser, now: datetime, user_agent: str = "", address: str | None = None) -> TokenPair:
    """Record a sign-in and return its first tokens, under the token version that ``user`` was read with."""
    session = UserSession.objects.create(
        user=user,
        created_at=now,
        last_refreshed_at=now,
        current_jti=uuid4().hex,
        user_agent=user_agent[:200],
        address_mark=address_mark(user.pk, address) if address else "",
    )
    return _living_pair(session, user)


def address_mark(user_id: int, address: str) -> str:
    """Return what recognises a user's network address later, and cannot be turned back into it."""
    return salted_hmac("users.session-address", f"{user_id}:{address}", algorithm="sha256").hexdigest()


def refresh_tokens(*, token: str, now: datetime) -> TokenPair:
    """Replace a refresh token by its one successor.

    :raises TokenNotValid: it has ended, or was used before; the latter ends its whole session.
    """
    pair = _rotate_or_revoke(claims=_read(RefreshToken, token), now=now)
    if pair is None:
        raise TokenNotValid
    return pair


@unit_of_work
def _rotate_or_revoke(*, claims: Claims, now: datetime) -> TokenPair | None:
    """Return the successor, or None: an exception would roll the revocation back."""
    session = _locked_sessions().filter(pk=claims.session_id).first()
    if session is None or not _is_alive(session, claims):
        return None
    if claims.jti == session.current_jti:
        return _rotate(session, session.user, now)
    if _is_in_grace(session, claims, now):
        return _living_pair(session, session.user)
    _revoke(UserSession.objects.filter(pk=session.pk), UserSession.RevokeReason.TOKEN_REUSED, now)
    return None


def renew_session(*, session_id: int, user: CustomUser, now: datetime) -> TokenPair:
    """Return new tokens for a session under the user's present token version. Call inside a unit of work.

    :raises TokenNotValid: the session has ended meanwhile.
    """
    session = _locked_sessions().filter(pk=session_id, user=user, revoked_at=None).first()
    if session is None:
        raise TokenNotValid
    return _rotate(session, user, now)


def _locked_sessions() -> QuerySet[UserSession]:
    # Without the user: a join would read them as they were before the wait for the lock.
    return UserSession.objects.select_for_update(no_key=True)


def _rotate(session: UserSession, user: CustomUser, now: datetime) -> TokenPair:
    session.previous_jti, session.current_jti, session.last_refreshed_at = session.current_jti, uuid4().hex, now
    session.save(update_fields=["previous_jti", "current_jti", "last_refreshed_at"])
    return _living_pair(session, user)


def _living_pair(session: UserSession, user: CustomUser) -> TokenPair:
    """Make the session's living tokens: always the same ones until the next rotation."""

    def encoded(kind: type[Token]) -> str:
        token = kind()
        token["jti"] = session.current_jti
        token["user_id"] = str(user.pk)
        token[SESSION_CLAIM] = session.pk
        token[VERSION_CLAIM] = user.token_version
        token.set_iat(at_time=session.last_refreshed_at)
        token.set_exp(from_time=session.last_refreshed_at)
        return str(token)

    return TokenPair(access=encoded(AccessToken), refresh=encoded(RefreshToken))


# --- Ending -----------------------------------------------------------------------------------------------------------


@unit_of_work
def sign_out(*, token: str, now: datetime) -> None:
    """End the session of an access or refresh token.

    :raises TokenNotValid: it has ended already.
    """
    claims = _read(UntypedToken, token)
    session = _locked_sessions().filter(pk=claims.session_id).first()
    if session is None or not _is_alive(session, claims):
        raise TokenNotValid
    _revoke(UserSession.objects.filter(pk=session.pk), UserSession.RevokeReason.SIGNED_OUT, now)


def end_tokens(
    *, user: CustomUser, reason: UserSession.RevokeReason, now: datetime, except_session: int | None = None
) -> None:
    """End every token that a user has. Call inside a unit of work that has locked the user.

    ``except_session`` spares one session row; its old tokens end all the same, see ``renew_session``.
    """
    user.token_version += 1
    user.save(update_fields=["token_version"])
    sessions = UserSession.objects.filter(user=user)
    _revoke(sessions if except_session is None else sessions.exclude(pk=except_session), reason, now)


def _revoke(sessions: QuerySet[UserSession], reason: UserSession.RevokeReason, now: datetime) -> None:
    sessions.filter(revoked_at=None).update(revoked_at=now, revoke_reason=reason)
