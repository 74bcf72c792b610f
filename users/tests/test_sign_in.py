from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from users.hashers import FrugalArgon2PasswordHasher
from users.models import CustomUser, UserSession
from users.services.tokens import claims_of
from users.tests.factories import PASSWORD, a_client, a_user, password_hash, tokens_for

pytestmark = pytest.mark.django_db


def sign_in(username: str, password: str = PASSWORD, **headers: Any):
    return a_client().post("/api/auth/token/", {"username": username, "password": password}, **headers)


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.com", "Ada@Example.com"])
def test_takes_the_username_or_the_address(login: str):
    user = a_user(username="ada", email="ada@example.com")

    response = sign_in(login)

    assert response.status_code == 200
    assert set(response.json()) == {"access", "refresh"}
    assert response["Cache-Control"] == "no-store"
    client = a_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['access']}")
    assert client.get("/api/users/me/").json()["id"] == user.pk


def test_leaves_a_session():
    user = a_user(username="ada")

    sign_in("ada", HTTP_USER_AGENT="Browser/1.0 " + "x" * 300)

    session = UserSession.objects.get()
    assert session.user == user
    assert session.revoked_at is None
    assert session.user_agent == ("Browser/1.0 " + "x" * 300)[:200]


def test_answers_the_same_to_the_unknown_the_inactive_and_the_wrong():
    a_user(username="active")
    a_user(username="inactive", is_active=False)
    attempts = [("nobody", PASSWORD), ("nobody@example.com", PASSWORD), ("inactive", PASSWORD), ("active", "wrong")]

    answers = [sign_in(*attempt) for attempt in attempts]

    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert {answer.status_code for answer in answers} == {401}
    assert bodies[0]["code"] == "invalid_credentials"
    assert all(body == bodies[0] for body in bodies)
    assert answers[0]["WWW-Authenticate"] == 'Bearer realm="api"'
    assert not UserSession.objects.exists()


@pytest.mark.parametrize(
    ("username", "password"), [("nobody", PASSWORD), ("inactive", PASSWORD), ("unusable", ""), ("active", "wrong")]
)
def test_hashes_once_whoever_it_is(monkeypatch: pytest.MonkeyPatch, username: str, password: str):
    a_user(username="active")
    a_user(username="inactive", is_active=False)
    a_user(username="unusable", password="!")
    hashed = Counter[str]()
    for name in ("encode", "verify"):
        original = getattr(FrugalArgon2PasswordHasher, name)

        def counted(self, *args, _name=name, _original=original):
            hashed[_name] += 1
            return _original(self, *args)

        monkeypatch.setattr(FrugalArgon2PasswordHasher, name, counted)

    sign_in(username, password or "anything")

    assert hashed.total() == 1


def test_renews_an_old_hash_without_ending_other_sessions():
    user = a_user(password=Argon2PasswordHasher().encode(PASSWORD, "a salt of sixteen or more letters"))
    elsewhere = tokens_for(user)

    assert sign_in(user.username).status_code == 200

    user.refresh_from_db()
    assert f"m={FrugalArgon2PasswordHasher.memory_cost}," in user.password
    assert a_client(elsewhere).get("/api/users/me/").status_code == 200


def test_renewing_an_old_hash_does_not_bring_an_old_password_back():
    """The password is replaced between the look at its hash and the renewal of that."""
    user = a_user(password=Argon2PasswordHasher().encode("an old pass phrase", "a salt of sixteen or more letters"))
    CustomUser.objects.filter(pk=user.pk).update(password=password_hash())

    assert user.check_password("an old pass phrase")

    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "ada"}, {"username": ["ada"], "password": {}}, {"username": "a" * 300, "password": "b"}, [], "x"],
)
def test_refuses_what_is_not_name_and_password(body: object):
    response = a_client().post("/api/auth/token/", body)

    assert response.status_code == 400


def test_does_not_look_at_a_stale_token():
    user = a_user()
    client = a_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer stale")

    response = client.post("/api/auth/token/", {"username": user.username, "password": PASSWORD})

    assert response.status_code == 200


def test_says_whether_a_token_is_good():
    pair = tokens_for(a_user())

    for kind in ("access", "refresh"):
        response = a_client().post("/api/auth/token/verify/", {"token": getattr(pair, kind)})
        assert response.status_code == 200
        assert response.json()["token_type"] == kind

    assert a_client().post("/api/auth/token/verify/", {"token": pair.access + "x"}).status_code == 401


def test_gives_tokens_that_name_the_session():
    from rest_framework_simplejwt.tokens import AccessToken

    user = a_user()
    pair = tokens_for(user)

    claims = claims_of(AccessToken(pair.access))

    assert claims.session_id == UserSession.objects.get().pk
    assert (claims.user_id, claims.token_version) == (user.pk, 1)
