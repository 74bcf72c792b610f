"""One refresh token of a session is the living one."""

import inspect
import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from eventhub_config.tests.races import at_once
from users.models import UserSession
from users.services import tokens
from users.services.tokens import TokenNotValid, refresh_tokens
from users.tests.factories import NOW, PASSWORD, a_client, a_user, tokens_for

pytestmark = pytest.mark.django_db

GRACE = settings.JWT_REFRESH_GRACE
MOMENT = timedelta(milliseconds=1)


def refresh(token: str):
    return a_client().post("/api/auth/token/refresh/", {"refresh": token})


def works(access: str) -> bool:
    client = a_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client.get("/api/users/me/").status_code == 200


def test_answers_with_a_new_pair_of_the_same_session():
    first = tokens_for(a_user())

    response = refresh(first.refresh)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    second = response.json()
    assert second["refresh"] != first.refresh
    assert works(second["access"])
    assert refresh(second["refresh"]).status_code == 200
    assert UserSession.objects.count() == 1


def test_prolongs_the_session_by_its_use():
    with time_machine.travel(NOW, tick=False) as clock:
        pair = tokens_for(a_user())
        for _ in range(3):
            clock.shift(timedelta(days=13))
            pair = refresh_tokens(token=pair.refresh, now=timezone.now())
        clock.shift(timedelta(days=14))

        with pytest.raises(TokenNotValid):
            refresh_tokens(token=pair.refresh, now=timezone.now())


def test_lets_access_tokens_run_out():
    with time_machine.travel(NOW, tick=False) as clock:
        pair = tokens_for(a_user())
        clock.shift(timedelta(minutes=15) - timedelta(seconds=1))
        assert works(pair.access)

        clock.shift(timedelta(seconds=1))

        assert not works(pair.access)
        assert refresh(pair.refresh).status_code == 200


@pytest.mark.parametrize("seconds_later", [timedelta(0), GRACE])
def test_gives_two_tabs_the_same_successor(seconds_later: timedelta):
    first = tokens_for(a_user(), now=NOW)
    with time_machine.travel(NOW, tick=False) as clock:
        one = refresh(first.refresh).json()
        clock.shift(seconds_later)

        other = refresh(first.refresh).json()

        assert other == one
        assert works(one["access"])
        assert refresh(one["refresh"]).status_code == 200


def test_takes_reuse_after_the_grace_for_theft_and_ends_the_session():
    first = tokens_for(a_user(), now=NOW)
    with time_machine.travel(NOW, tick=False) as clock:
        second = refresh(first.refresh).json()
        clock.shift(GRACE + MOMENT)

        response = refresh(first.refresh)

        assert response.status_code == 401
        assert response.json()["code"] == "token_not_valid"
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'
        session = UserSession.objects.get()
        assert (session.revoked_at, session.revoke_reason) == (NOW + GRACE + MOMENT, "token_reused")
        assert refresh(second["refresh"]).status_code == 401
        assert not works(second["access"])


@pytest.mark.django_db(transaction=True)
def test_keeps_the_revocation_although_the_answer_is_a_refusal():
    with time_machine.travel(NOW, tick=False) as clock:
        first = tokens_for(a_user())
        refresh(first.refresh)
        clock.shift(GRACE + MOMENT)

        assert refresh(first.refresh).status_code == 401

    assert UserSession.objects.get().revoke_reason == "token_reused"


def test_takes_a_token_before_the_last_for_theft_at_once():
    first = tokens_for(a_user())
    second = refresh(first.refresh).json()
    third = refresh(second["refresh"]).json()

    assert refresh(first.refresh).status_code == 401

    assert refresh(third["refresh"]).status_code == 401
    assert not works(third["access"])


def test_leaves_other_sessions_alone_when_one_is_stolen():
    user = a_user()
    stolen, other = tokens_for(user), tokens_for(user)
    refresh(refresh(stolen.refresh).json()["refresh"])

    assert refresh(stolen.refresh).status_code == 401

    assert works(other.access)
    assert refresh(other.refresh).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "access"])
def test_refuses_what_is_no_refresh_token(token: str):
    pair = tokens_for(a_user())

    response = refresh(pair.access if token == "access" else token)

    assert response.status_code == (401 if token else 400)


def test_refuses_a_token_signed_by_somebody_else():
    import jwt

    pair = tokens_for(a_user())
    claims = jwt.decode(pair.refresh, options={"verify_signature": False})

    assert refresh(jwt.encode(claims, "another key of thirty-two bytes or more")).status_code == 401
    assert refresh(jwt.encode(claims, "", algorithm="none")).status_code == 401


def test_refuses_a_token_of_ours_that_lacks_its_session():
    from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

    user = a_user()

    assert refresh(str(RefreshToken.for_user(user))).status_code == 401
    assert not works(str(AccessToken.for_user(user)))


def test_answers_401_for_a_user_who_was_deleted():
    user = a_user()
    pair = tokens_for(user)
    user.delete()

    assert refresh(pair.refresh).status_code == 401
    assert not works(pair.access)


@pytest.mark.django_db(transaction=True)
def test_leaves_one_successor_of_sixteen_at_once():
    first = tokens_for(a_user())

    answers = at_once([lambda: refresh(first.refresh)] * 16)

    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh"] for answer in answers}
    assert len(successors) == 1
    assert refresh(successors.pop()).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_would_leave_several_without_the_lock(monkeypatch: pytest.MonkeyPatch):
    """The control: reading, then writing, in no transaction and without the lock."""
    rotate = tokens._rotate

    def slowly(*args):
        time.sleep(0.05)
        return rotate(*args)

    monkeypatch.setattr(tokens, "_locked_sessions", UserSession.objects.all)
    monkeypatch.setattr(tokens, "_rotate", slowly)
    monkeypatch.setattr(tokens, "_rotate_or_revoke", inspect.unwrap(tokens._rotate_or_revoke))
    first = tokens_for(a_user())

    answers = at_once([lambda: refresh(first.refresh)] * 16)

    assert len({answer.json().get("refresh") for answer in answers}) > 1


@pytest.mark.django_db(transaction=True)
def test_does_not_survive_a_sign_out_at_the_same_moment():
    pair = tokens_for(a_user())

    answers = at_once(
        [
            lambda: a_client().post("/api/auth/logout/", {"refresh": pair.refresh}),
            *[lambda: refresh(pair.refresh)] * 4,
        ]
    )

    assert answers[0].status_code == 204
    for answer in answers[1:]:
        assert answer.status_code in {200, 401}
        if answer.status_code == 200:
            assert not works(answer.json()["access"])
            assert refresh(answer.json()["refresh"]).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_does_not_survive_a_password_change_at_the_same_moment():
    user = a_user()
    mine, elsewhere = tokens_for(user), tokens_for(user)
    change = {"current_password": PASSWORD, "new_password": "another pass phrase"}

    answers = at_once(
        [
            lambda: a_client(mine).post("/api/users/me/password/", change),
            *[lambda: refresh(elsewhere.refresh)] * 4,
        ]
    )

    assert answers[0].status_code == 200
    assert works(answers[0].json()["access"])
    for answer in answers[1:]:
        assert answer.status_code in {200, 401}
        if answer.status_code == 200:
            assert not works(answer.json()["access"])
            assert refresh(answer.json()["refresh"]).status_code == 401
