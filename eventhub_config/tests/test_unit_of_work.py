"""Everything that a service wrote stands, or nothing does; and waiting for others is bounded."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from eventhub_config.shared.errors import Busy, DomainError, InvalidTransition
from eventhub_config.shared.models import RateLimitCounter
from eventhub_config.shared.transactions import in_unit_of_work, unit_of_work
from events.models import Event
from events.tests.factories import an_event
from users.tests.factories import a_client_of

pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has one lock for everything: its writers cannot deadlock."
)
IMPATIENT_MS = 50


def a_row(key: str) -> RateLimitCounter:
    """Make a row of a table that stands alone."""
    return RateLimitCounter.objects.create(key=key, count=0, expires_at=timezone.now())


def count(key: str) -> int:
    return RateLimitCounter.objects.get(key=key).count


def raise_by_one(key: str) -> None:
    RateLimitCounter.objects.filter(key=key).update(count=F("count") + 1)


@contextmanager
def impatient() -> Iterator[None]:
    """Let this thread wait for locks for a moment only."""
    given_up_after = (
        f"SET lock_timeout = {IMPATIENT_MS}"
        if connection.vendor == "postgresql"
        else f"PRAGMA busy_timeout = {IMPATIENT_MS}"
    )
    with connection.cursor() as cursor:
        cursor.execute(given_up_after)
    try:
        yield
    finally:
        connection.close()  # the next one waits as long as usual


@contextmanager
def locked(lock: Callable[[], Any]) -> Iterator[threading.Event]:
    """Have another connection hold what ``lock`` locks, until the event is set or the block ends."""
    is_locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock()
                is_locked.set()
                release.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert is_locked.wait(30) or holding.result()
            yield release
        finally:
            release.set()
        holding.result()


# --- All or nothing ---------------------------------------------------------------------------------------------------


def test_what_it_wrote_stands() -> None:
    @unit_of_work
    def work() -> str:
        assert in_unit_of_work()
        a_row("a")
        return "done"

    assert work() == "done"
    assert not in_unit_of_work()
    assert count("a") == 0


@pytest.mark.parametrize("error", [InvalidTransition, ValueError, IntegrityError])
def test_a_refusal_leaves_nothing(error: type[Exception]) -> None:
    @unit_of_work
    def work() -> None:
        a_row("a")
        raise error("no")

    with pytest.raises(error):
        work()

    assert not RateLimitCounter.objects.exists()


def test_an_inner_one_joins_the_outer() -> None:
    happened = []

    @unit_of_work
    def inner() -> None:
        a_row("inner")
        transaction.on_commit(lambda: happened.append("committed"))

    @unit_of_work
    def outer() -> None:
        a_row("outer")
        inner()
        assert happened == []
        raise InvalidTransition

    with pytest.raises(InvalidTransition):
        outer()

    assert not RateLimitCounter.objects.exists()
    assert happened == []


def test_what_waits_for_the_commit_happens_after_the_outermost_one() -> None:
    happened = []

    @unit_of_work
    def inner() -> None:
        transaction.on_commit(lambda: happened.append(in_unit_of_work()))

    @unit_of_work
    def outer() -> None:
        inner()
        inner()
        assert happened == []

    outer()

    assert happened == [False, False]


def test_a_refusal_inside_can_be_survived_behind_a_savepoint() -> None:
    @unit_of_work
    def inner() -> None:
        a_row("inner")
        raise InvalidTransition

    @unit_of_work
    def outer() -> None:
        a_row("outer")
        with pytest.raises(InvalidTransition), transaction.atomic():
            inner()

    outer()

    assert list(RateLimitCounter.objects.values_list("key", flat=True)) == ["outer"]


def test_a_refusal_inside_cannot_be_swallowed_otherwise() -> None:
    """Half of what the inner one wrote would stand."""

    @unit_of_work
    def inner() -> None:
        a_row("inner")
        raise InvalidTransition

    @unit_of_work
    def outer() -> None:
        with pytest.raises(InvalidTransition):
            inner()
        a_row("outer")

    with pytest.raises(transaction.TransactionManagementError):
        outer()

    assert not RateLimitCounter.objects.exists()


# --- Waiting for others -----------------------------------------------------------------------------------------------


def test_a_lock_that_is_released_in_time_goes_unnoticed() -> None:
    a_row("hot")

    @unit_of_work
    def work() -> None:
        raise_by_one("hot")

    with locked(lambda: raise_by_one("hot")) as release:
        threading.Timer(0.1, release.set).start()
        work()

    assert count("hot") == 2


def test_a_lock_time_out_is_tried_once_more_from_the_outside() -> None:
    a_row("hot")
    tries = []

    with impatient(), locked(lambda: raise_by_one("hot")) as release:

        @unit_of_work
        def work() -> None:
            tries.append(in_unit_of_work())
            raise_by_one("hot")

        def let_go_after_the_first_try() -> None:
            release.set()

        _call_between_tries(work, let_go_after_the_first_try)

    assert count("hot") == 2


def _call_between_tries(work: Callable[[], Any], between: Callable[[], None]) -> None:
    """Run ``work``; when it says in the log that it tries again, run ``between`` first."""
    import logging

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "again" in record.getMessage():
                between()

    listener, log = Listener(), logging.getLogger("eventhub_config.shared.transactions")
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        work()
    finally:
        log.removeHandler(listener)
        log.setLevel(before)


def test_a_second_time_out_is_told_as_busy() -> None:
    a_row("hot")

    with impatient(), locked(lambda: raise_by_one("hot")):

        @unit_of_work
        def work() -> None:
            RateLimitCounter.objects.filter(key="cold").update(count=1)
            raise_by_one("hot")

        with pytest.raises(Busy) as caught:
            work()

    assert caught.value.status == 503
    assert caught.value.headers == {"Retry-After": "1"}
    assert count("hot") == 1


def test_busy_is_a_503_that_says_when_to_come_back() -> None:
    """RELIABILITY A11"""
    event = an_event()
    client = a_client_of(event.organizer)

    with impatient(), locked(lambda: Event.objects.filter(pk=event.pk).update(summary="held")):
        answer = client.patch(f"/api/events/{event.pk}/", {"title": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"] == "1"
    event.refresh_from_db()
    assert event.title == "Zero to API"


def test_other_errors_of_the_database_are_not_tried_again() -> None:
    tries = []

    @unit_of_work
    def work() -> None:
        tries.append(1)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        work()

    assert len(tries) == 1


def test_only_the_outermost_one_tries_again() -> None:
    """An inner one cannot: its transaction is lost with the lock."""
    a_row("hot")
    tries = {"outer": 0, "inner": 0}

    with impatient(), locked(lambda: raise_by_one("hot")):

        @unit_of_work
        def inner() -> None:
            tries["inner"] += 1
            raise_by_one("hot")

        @unit_of_work
        def outer() -> None:
            tries["outer"] += 1
            inner()

        with pytest.raises(Busy):
            outer()

    # SQLite takes its lock when the transaction begins: nothing of the work is reached.
    assert tries in ({"outer": 2, "inner": 2}, {"outer": 0, "inner": 0})


@on_postgresql
def test_a_deadlock_is_tried_again_and_both_come_through() -> None:
    a_row("a")
    a_row("b")
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def worker(first: str, second: str) -> None:
        @unit_of_work
        def work() -> None:
            raise_by_one(first)
            tries.append(first)
            if tries.count(first) == 1:
                both_hold_one.wait(30)
            raise_by_one(second)

        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(worker, "a", "b"), pool.submit(worker, "b", "a")]:
            done.result()

    assert (count("a"), count("b")) == (2, 2)
    assert len(tries) == 3


def test_a_refusal_is_not_tried_again() -> None:
    tries = []

    @unit_of_work
    def work() -> None:
        tries.append(1)
        raise DomainError

    with pytest.raises(DomainError):
        work()

    assert len(tries) == 1
