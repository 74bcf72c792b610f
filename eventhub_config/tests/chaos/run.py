"""One run of the chaos, from an empty database to the verdict."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, connection

from bookings.tests.test_overselling import without_constraint
from eventhub_config.tests.auditing import audit
from eventhub_config.tests.chaos import words
from eventhub_config.tests.chaos.clients import Chronicle, Lines, StubbornClient
from eventhub_config.tests.chaos.faults import Breaker, Fault
from eventhub_config.tests.chaos.judging import judge, rows
from eventhub_config.tests.chaos.machinery import CHECKOUT, Machinery
from eventhub_config.tests.chaos.people import Buyer, Desk, Stage
from eventhub_config.tests.chaos.settling import Settling
from eventhub_config.tests.chaos.sink import CountingSink
from eventhub_config.tests.contract import document
from eventhub_config.tests.crowd.people import Venue, a_venue
from eventhub_config.tests.crowd.watching import Watch
from events.models import Event, TicketType
from users.tests.factories import a_user, an_organizer, tokens_for

BUYERS, DESKS = 44, 4
BEATS_MINUTE = 3  # seconds
HOLDS_RUN_OUT_EVERY = 3.0
WATCH_EVERY = 0.5


@dataclass
class Run:
    """Everybody and everything of one run."""

    seed: int
    seconds: float
    machinery: Machinery
    sink: CountingSink
    in_a_hurry: bool
    history: Chronicle = field(default_factory=lambda: Chronicle([]))
    lines: Lines = field(default_factory=Lines)
    watch: Watch = field(default_factory=Watch)
    failures: list[str] = field(default_factory=list)
    beginning: float = 0.0
    findings: list[str] = field(default_factory=list)

    def gather(self) -> None:
        """Make the people and their events."""
        document()  # made once, before threads ask for it at the same time
        hurry_beat()
        organizers = [an_organizer() for _ in range(3)]
        venues = the_venues(organizers)
        self.stage = Stage(venues[:10], venues[10:])
        self.venues = venues
        self.buyers = [Buyer(self._client(a_user(), f"buyer {number}"), self.stage.on) for number in range(BUYERS)]
        can_refund = "/api/payments/{id}/refund/" in document()["paths"]
        self.desks = [
            Desk(
                {user.pk: self._client(user, f"desk {number} {place}") for place, user in enumerate(organizers)},
                self.stage.on,
                stage=self.stage,
                gives_refunds=can_refund,
                chance=random.Random(f"{self.seed} desk {number}"),
            )
            for number in range(DESKS)
        ]

    def _client(self, user: Any, name: str) -> StubbornClient:
        return StubbornClient(
            self.machinery.url,
            user,
            self.history,
            tokens_for(user).access,
            random.Random(f"{self.seed} {name}"),
            self.lines,
        )

    def storm(self, faults: Sequence[Fault]) -> Breaker:
        """Let everybody loose while the faults come; the caller's thread breaks things."""
        over = threading.Event()
        acts: list[tuple[Callable[[], None], float]] = [(buyer.act, 0.3) for buyer in self.buyers]
        acts += [(desk.act, 0.3) for desk in self.desks]
        acts += [(self._look, WATCH_EVERY), (let_some_holds_run_out, HOLDS_RUN_OUT_EVERY)]
        threads = [threading.Thread(target=self._again_and_again, args=(*act, over)) for act in acts]
        breaker = Breaker(self.machinery, self.lines)
        self.beginning = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            breaker.carry_out(faults, self.seconds)
        finally:
            self.machinery.resume_everything()
            over.set()
            for thread in threads:
                thread.join()
        return breaker

    def settle(self) -> Settling:
        connection.close()
        people = (self.buyers, self.desks, self.venues)
        settling = Settling(self.machinery, *people, self.history, self.in_a_hurry, self.seconds)
        settling.settle()
        return settling

    def open_the_books(self, breaker: Breaker, settling: Settling) -> list[str]:
        """Return everything that is wrong."""
        found = [f"seen on the way: {wrong} ({times} times)" for wrong, times in Counter(self.watch.wrong).items()]
        found += [f"the harness failed: {failure} ({n} times)" for failure, n in Counter(self.failures).items()]
        found += judge(self.history)
        found += [f"audit: {line}" for line in audit(connection)]
        found += self._mails(breaker, settling)
        found += [f"check_integrity: {line}" for line in check_integrity(self.machinery.environment)]
        found += [f"in the logs, {n} times: {what}" for what, n in words.unexplained(self.machinery.parts).items()]
        found += self._ended(breaker)
        self.findings = found
        return found

    def _ended(self, breaker: Breaker) -> Iterator[str]:
        """Yield what ended by itself. A Celery worker may, whose children we kill before it has seen them begin."""
        for part in self.machinery.parts:
            explained = part.output().count("Unrecoverable error: WorkerLostError('Could not start worker processes')")
            times = breaker.ended_by_themselves[part.name] - explained
            if times > 0:
                yield f"{part.name} ended by itself {times} times"

    def _mails(self, breaker: Breaker, settling: Settling) -> list[str]:
        """Each message was mailed; twice only where a worker died, or lost the database, just after it had been."""
        owed = {pk for (pk,) in rows("SELECT id FROM notifications_notification WHERE skip_reason = ''")}
        missing = sorted(pk for pk in owed if not self.sink.times[pk])
        again = sum(times - 1 for times in self.sink.times.values() if times > 1)
        worth = {"Celery child killed": 1, "Celery worker killed": 2}
        worth |= dict.fromkeys(("database killed", "database backend killed", "database frozen"), 4)
        may_be = sum(worth.get(done.fault.kind, 0) for done in breaker.done) + 2 * settling.workers_killed
        found = [f"{len(missing)} messages were never mailed, such as {missing[:5]}"] if missing else []
        if again > may_be:
            found.append(f"{again} mails went out again, and only {may_be} deaths explain that")
        self.mails = (len(owed), sum(self.sink.times.values()), again)
        return found

    def _look(self) -> None:
        with while_the_database_is_there():
            self.watch.act()

    def _again_and_again(self, act: Callable[[], None], pause: float, over: threading.Event) -> None:
        try:
            while not over.wait(pause * random.uniform(0.5, 1.5)):
                try:
                    act()
                except Exception as error:  # noqa: BLE001  (in a thread nobody would hear of it)
                    connection.close()
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    self.failures.append(f"{type(error).__name__}: {error} ({where.name})")
        finally:
            connection.close()


def the_venues(organizers: Sequence[Any]) -> list[Venue]:
    """Make events with few seats and with many, free and paid, for one person or groups; enough to cancel some."""
    shapes: list[dict[str, Any]] = [
        {"title": "Few seats", "least": 8, "most": 16},
        {"title": "Few seats, paid", "least": 8, "most": 14, "price": 10},
        {"title": "Groups", "least": 15, "most": 24, "party": 3, "quantity": (4, 8)},
        {"title": "Groups, paid", "least": 15, "most": 24, "party": 3, "quantity": (4, 8), "price": 20},
        {"title": "Half back", "least": 40, "most": 60, "price": 33, "refund_policy": "partial", "refund_percent": 50},
        {"title": "Nothing back", "least": 40, "most": 60, "price": 7, "refund_policy": "none"},
        {"title": "A large hall", "least": 400, "most": 500, "price": 25},
        {"title": "In yen", "least": 30, "most": 60, "price": 1500, "currency": "JPY"},
        {"title": "Taxed", "least": 30, "most": 60, "price": 19, "party": 2, "tax_rate": 19},
        {"title": "On the meadow", "party": 2},
    ]
    more = [{**shapes[number % 8 + 1], "title": f"Follow-up {number}"} for number in range(20)]
    return [
        a_venue(organizer=organizers[number % len(organizers)], **shape)
        for number, shape in enumerate([*shapes, *more])
    ]


def hurry_beat() -> None:
    """Have both Beats send every job every few seconds, as somebody would who edits the schedule."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    often = IntervalSchedule.objects.create(every=BEATS_MINUTE, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.update(interval=often, expire_seconds=30)


@contextlib.contextmanager
def while_the_database_is_there() -> Iterator[None]:
    try:
        yield
    except Error:
        connection.close()  # the next one is made anew


def let_some_holds_run_out() -> None:
    """Move the clock for a seventh of the unpaid holds."""
    with while_the_database_is_there(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bookings_booking SET expires_at = NOW()"
            " WHERE status = 'pending' AND hold_extended_at IS NULL AND id %% 7 = %s",
            [random.randrange(7)],
        )


def check_integrity(environment: dict[str, str]) -> list[str]:
    """Return what the product's own command finds."""
    command = [sys.executable, "manage.py", "check_integrity"]
    told = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if told.returncode == 0:
        return []
    lines = [line for line in (told.stdout + told.stderr).splitlines() if line.strip()]
    return lines[-40:] or [f"ended with {told.returncode}"]


@contextlib.contextmanager
def without_the_guard() -> Iterator[None]:
    """The control's database: nothing there keeps seats from being sold twice."""
    with (
        without_constraint(Event, "events_event_not_oversold"),
        without_constraint(TicketType, "events_type_not_oversold"),
    ):
        try:
            yield
        finally:  # or the constraints could not come back
            Event.objects.update(capacity=None)
            TicketType.objects.update(quantity=None)
