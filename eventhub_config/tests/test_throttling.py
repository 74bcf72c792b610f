"""Rate limits: counted once for all processes, by the address that our own proxies saw."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.exceptions import Throttled

from eventhub_config.development.embedded import Server
from eventhub_config.shared.client_address import client_address
from eventhub_config.shared.models import RateLimitCounter
from eventhub_config.shared.redis_circuit import client, key
from eventhub_config.shared.throttling import Limit, Rate, enforce
from eventhub_config.tests.live import wait_until
from eventhub_config.tests.races import at_once
from users.tests.factories import a_client, a_client_of, a_user

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
FIVE = Limit("test", 5, timedelta(minutes=1))
STRICT = Limit("test", 5, timedelta(minutes=1), strict=True)


def passes(limit: Limit, subject: str = "somebody") -> bool:
    rate = limit.count(subject)
    return rate is None or not rate.exceeded


def used(rate: Rate | None) -> int:
    assert rate is not None
    return rate.used


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("disturb", [None, "freeze", "kill"])
def test_thirty_two_at_once_get_five_through(redis_to_disturb: Server, disturb: str | None) -> None:
    """RELIABILITY H7"""
    if disturb:
        getattr(redis_to_disturb, disturb)()

    results = at_once([lambda: passes(STRICT)] * 32)

    assert results.count(True) == 5
    assert results.count(False) == 27
    assert RateLimitCounter.objects.count() == 1


@pytest.mark.django_db
def test_a_strict_limit_is_not_granted_anew_when_redis_forgets_or_vanishes(redis_to_disturb: Server) -> None:
    results = [passes(STRICT) for _ in range(3)]
    client().flushall()
    results += [passes(STRICT) for _ in range(2)]
    redis_to_disturb.kill()
    results += [passes(STRICT) for _ in range(3)]

    assert results == [True] * 5 + [False] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("disturb", ["freeze", "kill"])
def test_a_general_limit_lets_through_while_redis_is_away(redis_to_disturb: Server, disturb: str) -> None:
    getattr(redis_to_disturb, disturb)()

    assert at_once([lambda: passes(FIVE)] * 32) == [True] * 32
    assert not RateLimitCounter.objects.exists()


@pytest.mark.django_db
def test_requests_are_answered_while_redis_is_away(redis_to_disturb: Server, settings: Settings) -> None:
    settings.ANONYMOUS_RATE = 1
    redis_to_disturb.kill()

    answers = [a_client().get("/api/events/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit-Limit" not in answers[0]


def test_a_window_begins_with_its_first_request_and_ends() -> None:
    soon = Limit("test", 2, timedelta(milliseconds=300))

    assert [used(soon.count("a")) for _ in range(2)] == [1, 2]

    wait_until(lambda: used(soon.count("a")) == 1)


@pytest.mark.django_db
def test_a_window_in_the_database_ends_too() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert [used(STRICT.count("a")) for _ in range(3)] == [1, 2, 3]

        clock.shift(timedelta(seconds=59))
        last = STRICT.count("a")
        assert last
        assert (last.used, last.reset_seconds) == (4, 1)

        clock.shift(timedelta(seconds=1))
        assert used(STRICT.count("a")) == 1


def test_tells_how_much_is_left() -> None:
    rates = [FIVE.count("a") for _ in range(7)]

    assert [rate.headers()["RateLimit-Remaining"] for rate in rates if rate] == ["4", "3", "2", "1", "0", "0", "0"]
    assert {rate.headers()["RateLimit-Limit"] for rate in rates if rate} == {"5"}
    assert all(59 <= rate.reset_seconds <= 60 for rate in rates if rate)


def test_counts_each_subject_and_scope_apart() -> None:
    for _ in range(5):
        assert passes(FIVE, "a")

    assert not passes(FIVE, "a")
    assert passes(FIVE, "b")
    assert passes(Limit("other", 5, FIVE.window), "a")


def test_gives_back_what_succeeded() -> None:
    for _ in range(20):
        assert passes(FIVE)
        FIVE.give_back("somebody")

    assert used(FIVE.count("somebody")) == 1


def test_keeps_no_name_in_redis() -> None:
    FIVE.count("ada@example.com")

    names = [name.decode() for name in client().scan_iter(f"{key('rate')}*")]
    assert len(names) == 1
    assert "ada" not in names[0]


def test_a_name_that_cannot_be_encoded_is_counted_too() -> None:
    assert used(FIVE.count("\ud800")) == 1


def test_enforcing_says_how_long_to_wait() -> None:
    for _ in range(5):
        enforce(FIVE, "a")

    with pytest.raises(Throttled) as refused:
        enforce(FIVE, "a")

    assert 59 <= vars(refused.value)["wait"] <= 60


@pytest.mark.django_db
def test_accounts_are_limited_apart_from_their_address(settings: Settings) -> None:
    settings.ANONYMOUS_RATE, settings.ACCOUNT_RATE = 1, 2
    anonymous, ada, bob = a_client(), a_client_of(a_user()), a_client_of(a_user())

    assert [anonymous.get("/api/events/").status_code for _ in range(2)] == [200, 429]
    assert [ada.get("/api/events/").status_code for _ in range(3)] == [200, 200, 429]
    assert bob.get("/api/events/").status_code == 200


@pytest.mark.django_db
def test_a_broken_token_is_limited_by_its_address(settings: Settings) -> None:
    """Otherwise it would be a way to have us check signatures without end."""
    settings.ANONYMOUS_RATE = 2
    client = a_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer broken")

    assert [client.get("/api/bookings/").status_code for _ in range(3)] == [401, 401, 429]


# --- Whose request is it ----------------------------------------------------------------------------------------------

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", PEER),
        (0, "203.0.113.7", PEER),
        (0, "10.0.0.1, 203.0.113.7", PEER),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6,,203.0.113.7 ,", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "6.6.6.6, 7.7.7.7, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (1, "", PEER),  # not through the proxy at all
        (2, "203.0.113.7", PEER),
        (1, "nonsense", "unknown"),
        (1, "\x00", "unknown"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_address_is_what_our_own_proxy_saw(
    proxies: int, forwarded: str, address: str, settings: Settings, rf: RequestFactory
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert client_address(rf.get("/", REMOTE_ADDR=PEER, headers=headers)) == address


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "written_by_ours"), [(0, ""), (1, ", 203.0.113.7"), (2, ", 203.0.113.7, 10.0.0.1")]
)
def test_an_invented_address_wins_nothing(proxies: int, written_by_ours: str, settings: Settings) -> None:
    """RELIABILITY L8"""
    settings.ANONYMOUS_RATE, settings.TRUSTED_PROXIES = 3, proxies
    client = a_client()

    answers = [
        client.get("/api/meta/", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}{written_by_ours}").status_code
        for number in range(5)
    ]

    assert answers == [200, 200, 200, 429, 429]
