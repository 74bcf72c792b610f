"""RELIABILITY H7: strangers who guess lock themselves out, and nobody else."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from eventhub_config.tests.races import at_once
from users.models import UserSession
from users.services import sign_in
from users.tests.factories import PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db

HOME, ELSEWHERE = "192.0.2.10", "198.51.100.7"


@pytest.fixture(autouse=True)
def _three_tries(settings: Settings) -> None:
    settings.SIGN_IN_ACCOUNT_LIMIT = 3
    settings.SIGN_IN_ADDRESS_LIMIT = 1000


def attempt(username: str, password: str = "wrong", address: str = ELSEWHERE) -> int:
    body = {"username": username, "password": password}
    return a_client(address=address).post("/api/auth/token/", body).status_code


def locked_out_by_strangers(username: str) -> None:
    assert [attempt(username, address=f"203.0.113.{n}") for n in range(4)] == [401, 401, 401, 429]


def test_the_owner_gets_in_from_where_they_were_before():
    user = a_user()
    assert attempt(user.username, PASSWORD, HOME) == 200
    locked_out_by_strangers(user.username)

    assert attempt(user.username, PASSWORD, HOME) == 200
    assert attempt(user.username, PASSWORD, ELSEWHERE) == 429  # nobody else, with the right password either


def test_the_familiar_address_has_no_more_guesses_than_any():
    user = a_user()
    attempt(user.username, PASSWORD, HOME)
    locked_out_by_strangers(user.username)

    assert [attempt(user.username, "wrong", HOME) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert attempt(user.username, PASSWORD, HOME) == 429


def test_an_address_is_familiar_with_one_account_only():
    user, neighbour = a_user(), a_user()
    attempt(neighbour.username, PASSWORD, HOME)
    locked_out_by_strangers(user.username)

    assert attempt(user.username, PASSWORD, HOME) == 429


@pytest.mark.parametrize(
    ("reason", "familiar"),
    [
        ("", True),
        ("signed_out", True),
        ("role_changed", True),
        ("password_changed", False),
        ("token_reused", False),
        ("deactivated", False),
    ],
)
def test_an_address_that_may_have_been_a_thief_s_is_not_familiar(reason: str, familiar: bool):
    user = a_user()
    attempt(user.username, PASSWORD, HOME)
    UserSession.objects.update(revoke_reason=reason, revoked_at=timezone.now() if reason else None)
    locked_out_by_strangers(user.username)

    assert attempt(user.username, PASSWORD, HOME) == (200 if familiar else 429)


@pytest.mark.parametrize(("days", "answer"), [(29, 200), (31, 429)])
def test_an_address_is_familiar_for_a_month(days: int, answer: int):
    user = a_user()
    attempt(user.username, PASSWORD, HOME)
    UserSession.objects.update(last_refreshed_at=timezone.now() - timedelta(days=days))
    locked_out_by_strangers(user.username)

    assert attempt(user.username, PASSWORD, HOME) == answer


def test_no_address_is_kept():
    user = a_user()
    sign_in(login=user.username, password=PASSWORD, address=HOME, now=timezone.now())
    sign_in(login=a_user().username, password=PASSWORD, address=HOME, now=timezone.now())

    marks = list(UserSession.objects.values_list("address_mark", flat=True))
    assert len(set(marks)) == 2  # the same address says nothing about two people
    assert all(len(mark) == 64 and HOME not in mark for mark in marks)


def test_who_is_locked_out_learns_nothing_of_the_account():
    user = a_user()
    attempt(user.username, PASSWORD, HOME)
    answers = []
    for username in (user.username, "nobody"):
        locked_out_by_strangers(username)
        body = {"username": username, "password": "wrong"}
        answers.append(a_client(address=ELSEWHERE).post("/api/auth/token/", body))

    known, unknown = answers
    assert known.status_code == unknown.status_code == 429
    assert known.json() | {"request_id": "", "detail": ""} == unknown.json() | {"request_id": "", "detail": ""}
    assert set(known.headers) == set(unknown.headers)


@pytest.mark.django_db(transaction=True)
def test_thirty_at_once_from_home_and_elsewhere_get_three_each():
    user = a_user()
    attempt(user.username, PASSWORD, HOME)
    guesses = [lambda: attempt(user.username, address=ELSEWHERE)] * 30

    assert Counter(at_once(guesses)) == {401: 3, 429: 27}
    assert Counter(at_once([lambda: attempt(user.username, address=HOME)] * 30)) == {401: 3, 429: 27}
