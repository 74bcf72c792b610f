"""``manage.py check_integrity`` says what is broken, to people and to machines, and ends with a code of its own."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared import integrity
from eventhub_config.shared.integrity import Check, all_checks, moment, verdicts
from eventhub_config.tests.races import at_once
from events.models import Event
from events.tests.factories import an_event

pytestmark = pytest.mark.django_db


def run(*options: str) -> tuple[int, str]:
    """Return the code that the command ends with, and what it wrote."""
    output = StringIO()
    try:
        call_command("check_integrity", *options, stdout=output, no_color=True)
    except CommandError as error:
        return error.returncode, output.getvalue()
    return 0, output.getvalue()


@pytest.fixture
def one_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a check before the others whose statement fails."""

    def find() -> Iterator[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM events_event")
        yield from ()

    known = integrity.checks_by_app()
    monkeypatch.setattr(integrity, "checks_by_app", lambda: [("test", Check("breaks", "It runs.", find)), *known])


def test_says_that_nothing_is_broken() -> None:
    a_booking(now=timezone.now())

    assert run() == (0, f"{len(all_checks())} checks, 0 findings\n")


def test_names_the_promise_each_row_and_what_to_do() -> None:
    """OPS-6"""
    event = an_event(now=timezone.now())
    Event.objects.filter(pk=event.pk).update(seats_taken=7)

    code, told = run()

    check = next(check for check in all_checks() if check.name == "seat_counters")
    assert code == 1
    assert told.splitlines() == [
        f"seat_counters (bookings): {check.promise}",
        f"  event {event}: counts 7 seats taken; its tickets and offers are 0",
        f"  What to do: {check.remedy}",
        "",
        f"{len(all_checks())} checks, 1 findings",
    ]


def test_names_some_and_counts_all() -> None:
    event = an_event(now=timezone.now())
    many_bookings(event, 5, now=timezone.now())
    Booking.objects.update(seats=2)

    code, told = run("--check", "booking_tickets", "--limit", "2")
    _, all_of_them = run("--check", "booking_tickets", "--limit", "0")

    assert code == 1
    assert told.count("has 2 seats and 1 tickets") == 2
    assert "… and 3 more (--limit 0 names all)" in told
    assert told.endswith("1 checks, 5 findings\n")
    assert all_of_them.count("has 2 seats and 1 tickets") == 5


def test_tells_machines_the_same() -> None:
    event = an_event(now=timezone.now())
    Event.objects.filter(pk=event.pk).update(seats_taken=7)

    code, told = run("--json")

    found = json.loads(told)
    check = next(check for check in all_checks() if check.name == "seat_counters")
    assert code == 1
    assert list(found) == ["checked_at", "seconds", "checks", "count", "could_not_run", "broken", "findings"]
    assert (found["checks"], found["count"], found["could_not_run"]) == (len(all_checks()), 1, 0)
    assert found["broken"] == [
        {
            "check": "seat_counters",
            "app": "bookings",
            "promise": check.promise,
            "remedy": check.remedy,
            "count": 1,
            "error": "",
        }
    ]
    assert found["findings"] == [
        {
            "check": "seat_counters",
            "subject": f"event {event}",
            "message": "counts 7 seats taken; its tickets and offers are 0",
        }
    ]


def test_runs_the_checks_that_were_named_only() -> None:
    event = an_event(now=timezone.now())
    Event.objects.filter(pk=event.pk).update(seats_taken=7)

    assert run("--check", "covers", "--check", "slugs") == (0, "2 checks, 0 findings\n")


def test_refuses_a_check_that_there_is_not() -> None:
    assert run("--check", "covers", "--check", "nonsense") == (2, "")


def test_lists_every_check_with_its_promise() -> None:
    code, told = run("--list")

    assert code == 0
    assert all(check.name in told and check.promise in told for check in all_checks())
    assert [row["check"] for row in json.loads(run("--list", "--json")[1])] == [check.name for check in all_checks()]


def test_a_check_that_breaks_stops_no_other(one_that_breaks: None) -> None:
    event = an_event(now=timezone.now())
    Event.objects.filter(pk=event.pk).update(seats_taken=7)

    code, told = run()

    assert code == 2
    assert "breaks (test): It runs.\n  could not run: " in told
    assert "counts 7 seats taken" in told
    assert told.endswith(f"{len(all_checks())} checks, 1 findings, 1 could not run\n")


def test_takes_as_many_statements_for_many_bookings_as_for_few(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    event = an_event(now=timezone.now(), price="10.00")
    statuses = ["confirmed", "cancelled", "expired", "no_show"]
    many_bookings(event, 4, now=timezone.now(), statuses=statuses)
    with django_assert_max_num_queries(1000) as few:
        list(verdicts())
    many_bookings(event, 200, now=timezone.now(), statuses=statuses)
    # Counters and amounts that nothing was paid for break `money_kept`: its findings are read, not asked for.
    with django_assert_max_num_queries(len(few)):
        list(verdicts(keep=1))


@pytest.mark.django_db(transaction=True)
def test_sees_the_rows_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written between two checks is seen by none of them, and whoever writes it does not wait."""
    event = an_event(now=timezone.now())
    seen: list[Any] = []

    def find() -> Iterator[tuple[str, str]]:
        seen.append((Event.objects.get(pk=event.pk).seats_taken, moment()))
        yield from ()

    def write() -> None:
        Event.objects.filter(pk=event.pk).update(seats_taken=7)

    looks = [("test", Check(f"look_{number}", "It looks.", find)) for number in range(2)]
    monkeypatch.setattr(integrity, "checks_by_app", lambda: looks)

    for verdict in verdicts():
        if verdict.check.name == "look_0":
            assert at_once([write]) == [None]

    assert seen[0] == seen[1]
    assert seen[0][0] == 0
    assert Event.objects.get(pk=event.pk).seats_taken == 7
    assert not connections["default"].in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that would is stopped by PostgreSQL."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no transactions that only read")
    event = an_event(now=timezone.now())

    def find() -> Iterator[tuple[str, str]]:
        Event.objects.filter(pk=event.pk).update(seats_taken=7)
        yield from ()

    monkeypatch.setattr(integrity, "checks_by_app", lambda: [("test", Check("writes", "It reads.", find))])

    (verdict,) = verdicts()

    assert "read-only transaction" in verdict.error
    assert Event.objects.get(pk=event.pk).seats_taken == 0
