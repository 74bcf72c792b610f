"""The circuit breaker: one time-out is enough."""

import logging
import threading
from types import SimpleNamespace

import pytest
import redis

from eventhub_config.development.embedded import Server
from eventhub_config.shared import redis_circuit
from eventhub_config.shared.redis_circuit import CircuitBreaker, RedisUnavailableError, circuit, client, key
from eventhub_config.tests.live import wait_until
from eventhub_config.tests.races import at_once

PAUSE = 5.0


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(redis_circuit, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


def fails() -> None:
    raise redis.TimeoutError("frozen")


def opened(breaker: CircuitBreaker) -> CircuitBreaker:
    with pytest.raises(RedisUnavailableError):
        breaker.call(fails)
    return breaker


def test_lets_through_while_all_is_well(clock: Clock) -> None:
    breaker = CircuitBreaker(PAUSE)

    assert breaker.call(lambda: 7) == 7
    assert not breaker.is_open


@pytest.mark.parametrize(
    "error", [redis.TimeoutError, redis.ConnectionError, redis.ResponseError, ConnectionRefusedError, TimeoutError]
)
def test_opens_after_one_failure(error: type[Exception], clock: Clock) -> None:
    breaker = CircuitBreaker(PAUSE)

    def fail() -> None:
        raise error("away")

    with pytest.raises(RedisUnavailableError):
        breaker.call(fail)

    assert breaker.is_open


def test_skips_for_its_pause_and_not_longer(clock: Clock) -> None:
    breaker = opened(CircuitBreaker(PAUSE))

    clock.now += PAUSE - 0.01
    with pytest.raises(RedisUnavailableError, match="skipped"):
        breaker.call(lambda: 7)

    clock.now += 0.02
    assert breaker.call(lambda: 7) == 7
    assert not breaker.is_open


def test_pauses_anew_when_the_trial_fails(clock: Clock) -> None:
    breaker = opened(CircuitBreaker(PAUSE))
    clock.now += PAUSE

    opened(breaker)

    clock.now += PAUSE - 0.01
    with pytest.raises(RedisUnavailableError, match="skipped"):
        breaker.call(lambda: 7)


def test_lets_one_of_many_try(clock: Clock) -> None:
    breaker = opened(CircuitBreaker(PAUSE))
    clock.now += PAUSE
    tries: list[int] = []
    others_are_done = threading.Event()

    def trial() -> str:
        tries.append(1)
        assert others_are_done.wait(30)
        return "tried"

    def caller() -> str:
        return breaker.call(trial)

    def watch() -> None:
        wait_until(lambda: bool(tries))
        with pytest.raises(RedisUnavailableError, match="skipped"):
            breaker.call(trial)
        others_are_done.set()

    results = at_once([*[caller] * 16, watch])

    assert len(tries) == 1
    assert [result for result in results if result == "tried"] == ["tried"]
    assert not breaker.is_open


def test_leaves_other_errors_alone(clock: Clock) -> None:
    breaker = CircuitBreaker(PAUSE)

    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)

    assert not breaker.is_open


def test_tells_the_log_once_and_again_when_it_is_over(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, redis_circuit.logger.name)
    breaker = opened(CircuitBreaker(PAUSE))
    for _ in range(5):
        opened(breaker)

    clock.now += PAUSE
    breaker.call(lambda: 7)

    assert [record.message for record in caplog.records] == [
        "Redis is left alone for 5 s: frozen",
        "Redis answers again.",
    ]


@pytest.mark.parametrize("disturb", ["freeze", "kill"])
def test_spares_everybody_a_redis_that_does_not_answer(redis_to_disturb: Server, disturb: str) -> None:
    circuit.call(lambda: client().set(key("a"), 1))
    getattr(redis_to_disturb, disturb)()

    with pytest.raises(RedisUnavailableError) as first:
        circuit.call(lambda: client().get(key("a")))
    with pytest.raises(RedisUnavailableError) as second:
        circuit.call(lambda: client().get(key("a")))

    assert str(first.value) != "skipped"
    assert str(second.value) == "skipped"
    assert circuit.is_open
