from collections import Counter
from typing import Any

import pytest
import redis
from pytest_django import Settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from eventhub_config.shared import throttling
from eventhub_config.tests.races import at_once
from users.services.signing_in import account_limit
from users.tests.factories import PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the counting script reach for a port that nobody listens on."""
    nobody = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    script = nobody.register_script(throttling._COUNT)
    monkeypatch.setattr(throttling, "_script", lambda: script)


def attempt(username: str, password: str = "wrong", address: str = "127.0.0.1", **headers: Any) -> int:
    client = a_client(address=address)
    return client.post("/api/auth/token/", {"username": username, "password": password}, **headers).status_code


def test_refuse_an_account_after_its_failures_even_with_the_right_password(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 3
    user = a_user()

    answers = [attempt(user.username) for _ in range(4)]

    assert answers == [401, 401, 401, 429]
    assert attempt(user.username, PASSWORD) == 429
    assert attempt(a_user().username, PASSWORD) == 200


def test_count_the_username_and_the_address_of_a_person_as_one(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 3
    user = a_user(username="ada", email="ada@example.com")
    assert [attempt(login) for login in ("ada", "ada@example.com", "ADA")] == [401, 401, 401]

    answers = [attempt(login, PASSWORD) for login in ("Ada@example.com", "ada")]

    assert answers == [401, 401]  # as after a wrong password: neither name is used up, but the account is
    assert user.sessions.count() == 0


@pytest.mark.parametrize(
    ("first", "second"), [("{}", "{}@bücher.example"), ("{}@bücher.example", "{}@xn--bcher-kva.example")]
)
def test_tell_nobody_which_names_are_one_persons(settings: Settings, first: str, second: str):
    """RELIABILITY H6: a locked name locks another one visibly only if it is the same, spelled differently."""
    settings.SIGN_IN_ACCOUNT_LIMIT = 3
    a_user(username="ada", email="ada@bücher.example")

    answers = {}
    for name in ("ada", "eve"):
        locked = [attempt(first.format(name)) for _ in range(4)]
        answers[name] = locked + [attempt(second.format(name)) for _ in range(4)]

    assert answers["ada"] == answers["eve"]
    assert answers["ada"][:4] == [401, 401, 401, 429]


def test_hold_for_names_that_nobody_has_as_well(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 2

    assert [attempt("nobody") for _ in range(3)] == [401, 401, 429]


def test_hold_per_address_over_all_accounts(settings: Settings):
    settings.SIGN_IN_ADDRESS_LIMIT = 3

    assert [attempt(f"name{number}") for number in range(4)] == [401, 401, 401, 429]
    assert attempt("another", address="192.0.2.1") == 401


def test_do_not_count_sign_ins_that_succeed(settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = settings.SIGN_IN_ADDRESS_LIMIT = 2
    user = a_user()

    assert [attempt(user.username, PASSWORD) for _ in range(5)] == [200] * 5


def test_believe_no_forwarded_address_without_a_trusted_proxy(settings: Settings):
    settings.SIGN_IN_ADDRESS_LIMIT = 3

    answers = [
        attempt(f"name{number}", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.{number}") for number in range(5)
    ]

    assert answers == [401, 401, 401, 429, 429]


def test_believe_only_what_the_trusted_proxy_wrote(settings: Settings):
    settings.SIGN_IN_ADDRESS_LIMIT = 2
    settings.TRUSTED_PROXIES = 1

    spoofed = [
        attempt(f"name{number}", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.9") for number in range(3)
    ]

    assert spoofed == [401, 401, 429]
    assert attempt("another", HTTP_X_FORWARDED_FOR="203.0.113.10") == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("redis_is", ["there", "away"])
def test_hold_for_thirty_that_come_at_once(request: pytest.FixtureRequest, settings: Settings, redis_is: str):
    if redis_is == "away":
        request.getfixturevalue("redis_away")
    settings.SIGN_IN_ACCOUNT_LIMIT = 5
    user = a_user()

    answers = at_once([lambda: attempt(user.username)] * 30)

    assert Counter(answers) == {401: 5, 429: 25}


def test_are_given_back_without_redis_too(redis_away: None, settings: Settings):
    settings.SIGN_IN_ACCOUNT_LIMIT = 2
    user = a_user()

    assert [attempt(user.username, PASSWORD) for _ in range(4)] == [200] * 4
    assert [attempt(user.username, address="192.0.2.1") for _ in range(3)] == [401, 401, 429]


def test_give_nothing_back_to_a_window_that_has_passed():
    account_limit().give_back("user:1")

    rate = account_limit().count("user:1")

    assert rate is not None
    assert rate.used == 1


def test_hold_for_the_admin_log_in(settings: Settings, client):
    from users.tests.factories import an_admin

    settings.SIGN_IN_ACCOUNT_LIMIT = 2
    admin = an_admin()
    for _ in range(2):
        client.post("/admin/login/", {"username": admin.username, "password": "wrong"})

    response = client.post("/admin/login/", {"username": admin.username, "password": PASSWORD})

    assert response.status_code == 200  # the form again, with its usual message
    assert "_auth_user_id" not in client.session
    assert attempt(admin.username, PASSWORD) == 429
