"""Tokens end at once when their reason ends: access and refresh, old and new."""

from collections.abc import Callable

import pytest
from django.core.management import call_command

from users.models import CustomUser, UserSession
from users.services import change_role, set_active
from users.services.tokens import TokenPair
from users.tests.factories import NOW, PASSWORD, a_client, a_user, an_admin, an_organizer, tokens_for

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another pass phrase"


def refused(pair: TokenPair) -> bool:
    answers = (
        a_client(pair).get("/api/users/me/"),
        a_client().post("/api/auth/token/refresh/", {"refresh": pair.refresh}),
        a_client().post("/api/auth/token/verify/", {"token": pair.access}),
        a_client().post("/api/auth/token/verify/", {"token": pair.refresh}),
    )
    codes = {(answer.status_code, answer.json().get("code")) for answer in answers}
    if codes == {(401, "token_not_valid")}:
        return True
    assert {status for status, _ in codes} == {200}, codes
    return False


def deactivate(user: CustomUser) -> None:
    set_active(user_id=user.pk, is_active=False, actor=an_admin(), now=NOW)


def deactivate_and_activate(user: CustomUser) -> None:
    deactivate(user)
    set_active(user_id=user.pk, is_active=True, actor=an_admin(), now=NOW)


def promote(user: CustomUser) -> None:
    change_role(user_id=user.pk, user_type="organizer", actor=an_admin(), now=NOW)


def delete(user: CustomUser) -> None:
    user.delete()


def set_password(user: CustomUser) -> None:
    user.set_password(NEW_PASSWORD)
    user.save()


def set_unusable_password(user: CustomUser) -> None:
    user.set_unusable_password()
    user.save()


@pytest.mark.parametrize(
    "reason",
    [deactivate, deactivate_and_activate, promote, delete, set_password, set_unusable_password],
    ids=lambda reason: reason.__name__,
)
def test_after_each_reason(reason: Callable[[CustomUser], None]):
    user, other = a_user(), a_user()
    pair, second, others = tokens_for(user), tokens_for(user), tokens_for(other)
    assert not refused(pair)
    pair = TokenPair(**a_client().post("/api/auth/token/refresh/", {"refresh": pair.refresh}).json())

    reason(user)

    assert refused(pair)
    assert refused(second)
    assert not refused(others)


def test_not_by_an_edit_of_the_name():
    user = a_user()
    pair = tokens_for(user)

    user.first_name = "Ada"
    user.save()

    assert not refused(pair)


def test_not_undone_by_an_edit_that_read_before():
    user = a_user()
    pair = tokens_for(user)
    stale = CustomUser.objects.get(pk=user.pk)
    deactivate(user)

    stale.first_name = "Ada"
    stale.save()

    assert refused(pair)
    assert not CustomUser.objects.get(pk=user.pk).is_active


@pytest.mark.parametrize("by", ["bearer", "refresh"])
def test_at_sign_out_of_this_session_only(by: str):
    user = a_user()
    pair, elsewhere = tokens_for(user), tokens_for(user)
    client = a_client(pair) if by == "bearer" else a_client()
    body = {"refresh": pair.refresh} if by == "refresh" else {}

    response = client.post("/api/auth/logout/", body)

    assert response.status_code == 204
    assert refused(pair)
    assert not refused(elsewhere)
    assert UserSession.objects.get(revoked_at=None).pk != UserSession.objects.get(revoke_reason="signed_out").pk


def test_at_sign_out_with_a_refresh_token_beside_a_stale_access_token():
    pair = tokens_for(a_user())
    client = a_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer stale")

    assert client.post("/api/auth/logout/", {"refresh": pair.refresh}).status_code == 204
    assert refused(pair)


def test_not_twice_and_not_for_nobody():
    pair = tokens_for(a_user())
    a_client(pair).post("/api/auth/logout/")

    assert a_client(pair).post("/api/auth/logout/").status_code == 401
    assert a_client().post("/api/auth/logout/").status_code == 401
    assert a_client().post("/api/auth/logout/", {"refresh": "nonsense"}).status_code == 401


def test_at_a_password_change_everywhere_but_here():
    user = a_user()
    mine, elsewhere = tokens_for(user), tokens_for(user)

    response = a_client(mine).post(
        "/api/users/me/password/", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    )

    assert response.status_code == 200
    assert refused(mine)
    assert refused(elsewhere)
    assert not refused(TokenPair(**response.json()))
    assert UserSession.objects.filter(user=user, revoked_at=None).count() == 1
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert user.token_version == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"current_password": "wrong", "new_password": NEW_PASSWORD}, "current_password", "wrong_password"),
        ({"current_password": PASSWORD, "new_password": "12345678"}, "new_password", "password_too_common"),
        ({"new_password": NEW_PASSWORD}, "current_password", "required"),
    ],
)
def test_not_at_a_password_change_that_is_refused(body: dict[str, str], field: str, code: str):
    user = a_user()
    pair = tokens_for(user)

    response = a_client(pair).post("/api/users/me/password/", body)

    assert response.status_code == 400
    assert (response.json()["errors"][0]["field"], response.json()["errors"][0]["code"]) == (field, code)
    assert not refused(pair)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_not_before_guesses_of_the_current_password_are_stopped(settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 2
    client = a_client(tokens_for(a_user()))
    body = {"current_password": "wrong", "new_password": NEW_PASSWORD}

    answers = [client.post("/api/users/me/password/", body).status_code for _ in range(3)]

    assert answers == [400, 400, 429]


def test_at_a_password_set_from_the_command_line(monkeypatch: pytest.MonkeyPatch):
    user = a_user()
    pair = tokens_for(user)
    monkeypatch.setattr("getpass.getpass", lambda **_: NEW_PASSWORD)

    call_command("changepassword", user.username)

    assert refused(pair)


def test_of_an_organizer_who_becomes_an_attendee():
    organizer = an_organizer()
    pair = tokens_for(organizer)

    change_role(user_id=organizer.pk, user_type="attendee", actor=an_admin(), now=NOW)

    assert refused(pair)
    assert UserSession.objects.get().revoke_reason == "role_changed"
