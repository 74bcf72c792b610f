"""USR-4: a forgotten password is set anew by a link in a mail."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from eventhub_config.tests.races import at_once, outcomes
from users.models import AccountLink, CustomUser, PasswordResetRequest, UserSession
from users.services import answer_password_reset, reset_password
from users.services.links import MAILS_PER_HOUR, token_of
from users.tests.factories import NOW, PASSWORD, a_client, a_link, a_user, tokens_for

pytestmark = pytest.mark.django_db

ASK, CONFIRM = "/api/auth/password/reset/", "/api/auth/password/reset/confirm/"
NEW_PASSWORD = "another pass phrase"


def answered_by_a_worker() -> None:
    for request in PasswordResetRequest.objects.all():
        assert request.next_attempt_at is not None
        answer_password_reset(request_id=request.pk, now=request.next_attempt_at)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "ada@example.com"},
        {"email": "ADA@Example.com"},
        {"username": "ada"},
        {"username": "ADA"},
        {"username": "ada@example.com"},
    ],
)
def test_is_asked_for_by_name_or_address(body: dict[str, str]):
    user = a_user(username="ada", email="ada@example.com")

    response = a_client().post(ASK, body)

    assert (response.status_code, response.content) == (202, b"")
    assert not AccountLink.objects.exists()  # the request looks nobody up
    answered_by_a_worker()
    link = AccountLink.objects.get()
    assert (link.user, link.purpose, link.email) == (user, "reset_password", "ada@example.com")
    assert not PasswordResetRequest.objects.exists()


@pytest.mark.parametrize("body", [{}, {"email": "a@example.com", "username": "a"}, {"email": ""}, [], {"email": {}}])
def test_needs_one_of_the_two(body: object):
    response = a_client().post(ASK, body)

    assert response.status_code == 400
    assert not PasswordResetRequest.objects.exists()


def test_goes_to_the_address_on_the_account_and_not_to_the_one_that_was_typed():
    """What was typed may fold to the same key and belong to somebody else. Source: CVE-2019-19844."""
    a_user(email="mike@example.com")

    a_client().post(ASK, {"email": "\uff4dike@example.com"})  # a full-width m
    answered_by_a_worker()

    assert AccountLink.objects.get().email == "mike@example.com"


@pytest.mark.parametrize("login", ["nobody", "inactive", "inactive@example.com"])
def test_makes_no_link_for_nobody_and_for_the_inactive(login: str):
    a_user(username="inactive", email="inactive@example.com", is_active=False)

    assert a_client().post(ASK, {"username": login}).status_code == 202
    answered_by_a_worker()

    assert not AccountLink.objects.exists()
    assert not PasswordResetRequest.objects.exists()


def test_makes_one_link_however_many_workers_answer():
    user = a_user()
    request = PasswordResetRequest.objects.create(login=user.username, created_at=NOW, next_attempt_at=NOW)

    for _ in range(3):
        answer_password_reset(request_id=request.pk, now=NOW)

    assert AccountLink.objects.count() == 1


def test_keeps_the_last_link_once_a_mailbox_has_had_its_mails():
    a_user(username="ada")
    for number in range(MAILS_PER_HOUR + 3):
        request = PasswordResetRequest.objects.create(login="ada", created_at=NOW, next_attempt_at=NOW)
        answer_password_reset(request_id=request.pk, now=NOW + timedelta(seconds=number))

    assert AccountLink.objects.count() == MAILS_PER_HOUR
    assert AccountLink.objects.filter(closed_at=None).count() == 1
    assert not PasswordResetRequest.objects.exists()


def test_is_put_off_and_given_up_when_a_worker_fails(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    from users.services import passwords

    def fail(*, user: CustomUser, **_: object) -> None:
        raise RuntimeError(f"Key (email)=({user.email}) already exists")

    monkeypatch.setattr(passwords, "owe_link", fail)
    a_user(email="ada@example.com")
    request = PasswordResetRequest.objects.create(login="ada@example.com", created_at=NOW, next_attempt_at=NOW)
    now = NOW
    for _ in range(PasswordResetRequest.MAX_ATTEMPTS):
        answer_password_reset(request_id=request.pk, now=now)
        request.refresh_from_db()
        now = request.next_attempt_at or now

    assert request.attempts == PasswordResetRequest.MAX_ATTEMPTS
    assert request.parked_at is not None
    assert request.last_error == "RuntimeError"
    assert "in _settle" in caplog.text
    assert "ada@example.com" not in caplog.text


def test_sets_the_password_ends_every_session_and_confirms_the_address():
    user = a_user()
    pair = tokens_for(user)
    token = token_of(a_link(user, "reset_password"))

    response = a_client().post(CONFIRM, {"token": token, "new_password": NEW_PASSWORD})

    assert (response.status_code, response.content) == (204, b"")
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert user.email_verified_at is not None
    assert a_client(pair).get("/api/users/me/").status_code == 401
    assert a_client().post("/api/auth/token/refresh/", {"refresh": pair.refresh}).status_code == 401
    assert UserSession.objects.get().revoke_reason == "password_changed"
    again = a_client().post("/api/auth/token/", {"username": user.username, "password": NEW_PASSWORD})
    assert again.status_code == 200


def test_works_for_an_account_without_a_password():
    user = a_user(password="!")

    reset_password(token=token_of(a_link(user, "reset_password", now=NOW)), new_password=NEW_PASSWORD, now=NOW)

    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


def test_refuses_a_weak_password_and_keeps_the_link():
    user = a_user(username="adalovelace")
    token = token_of(a_link(user, "reset_password"))

    for weak, code in (("12345678", "password_too_common"), ("adalovelace1", "password_too_similar")):
        response = a_client().post(CONFIRM, {"token": token, "new_password": weak})
        assert response.status_code == 400
        assert ("new_password", code) in {(error["field"], error["code"]) for error in response.json()["errors"]}

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert a_client().post(CONFIRM, {"token": token, "new_password": NEW_PASSWORD}).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_succeeds_once_of_twenty_at_the_same_time():
    """Twenty passwords, one link: one of them is set, and one only."""
    user = a_user()
    token = token_of(a_link(user, "reset_password", now=NOW))

    def use(number: int) -> None:
        reset_password(token=token, new_password=f"pass phrase number {number}", now=NOW)

    results = at_once([lambda number=number: use(number) for number in range(20)])

    assert outcomes(results) == {"ok": 1, "link_not_valid": 19}
    winner = next(number for number, result in enumerate(results) if result is None)
    user = CustomUser.objects.get()
    assert user.check_password(f"pass phrase number {winner}")
    assert user.token_version == 2


@pytest.mark.django_db(transaction=True)
def test_control_without_the_look_under_the_lock_more_than_one_succeeds(monkeypatch: pytest.MonkeyPatch):
    user = a_user()
    token = token_of(a_link(user, "reset_password", now=NOW))
    monkeypatch.setattr(AccountLink, "is_usable_by", lambda *_: True)

    results = at_once([lambda: reset_password(token=token, new_password=NEW_PASSWORD, now=NOW)] * 20)

    assert outcomes(results)["ok"] > 1


def test_is_limited_by_address_and_by_what_is_typed_alike_for_known_and_unknown(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT, settings.SIGN_IN_ADDRESS_LIMIT = 2, 5
    a_user(username="known")

    for login in ("known", "unknown"):
        answers = [a_client(address=f"192.0.2.{n}").post(ASK, {"username": login}).status_code for n in range(3)]
        assert answers == [202, 202, 429]
    answers = [a_client(address="198.51.100.1").post(ASK, {"username": f"u{n}"}).status_code for n in range(6)]
    assert answers == [202] * 5 + [429]
    assert PasswordResetRequest.objects.count() == 9
