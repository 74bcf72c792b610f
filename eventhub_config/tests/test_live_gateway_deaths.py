"""Many payments among real processes, while whoever is at the gateway is killed there: all money is accounted for."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings

from bookings.models import Booking
from bookings.tests.factories import many_bookings
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.periodic import BATCH, all_jobs
from eventhub_config.tests.auditing import audit
from eventhub_config.tests.live import LiveProcess, own_queue, wait_until, web, worker
from eventhub_config.tests.test_live_races import findings, person
from events.tests.factories import an_event
from payments.models import GatewayCallback, Invoice, MockGatewayEntry, MockGatewayMessage, Payment, Refund

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(3600),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one process write at a time"),
]

PAYMENTS = int(os.environ.get("EVENTHUB_PAYMENTS", "100"))
SEED = int(os.environ.get("EVENTHUB_SEED", "1"))
# How many of a hundred pay with what; the rest with what simply succeeds.
SHARES = {
    "tok_decline": 5,
    "tok_late_success:4": 5,
    "tok_duplicate_callback": 5,
    "tok_out_of_order": 2,
    "tok_timeout": 2,
}
CANCEL = 4  # of a hundred people cancel while their money is on its way, or has just arrived
CLIENTS = 16
AT_THE_GATEWAY_MS = 150
KILL_EVERY_SECONDS = 0.5
QUIET_SECONDS = 5


@dataclass
class Deaths:
    """Who was killed, and which payments lost their worker by it."""

    kills: int = 0
    lost: set[int] = field(default_factory=set)
    left: int = 0  # of these, when nobody was at work any more


def test_every_charge_is_confirmed_or_refunded_whoever_dies_at_the_gateway(
    process_environment: dict[str, str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """PAY-2, PAY-5, RELIABILITY C3, C5, D3"""
    now = timezone.now()
    bookings = many_bookings(an_event(price=25, capacity=PAYMENTS, now=now), PAYMENTS, statuses=["pending"], now=now)
    environment = own_queue(process_environment) | {
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "MOCK_GATEWAY_TEST_TOKENS": "1",
        "MOCK_GATEWAY_DELAY_MS": str(AT_THE_GATEWAY_MS),
    }
    settings.EMAIL_BACKEND = environment["EMAIL_BACKEND"]
    settings.MOCK_GATEWAY_TEST_TOKENS = True
    began = time.monotonic()

    with web(environment) as server:
        settings.MOCK_GATEWAY_CALLBACK_URL = f"{server.url}/api/payments/callbacks/mock/"
        environment["MOCK_GATEWAY_CALLBACK_URL"] = settings.MOCK_GATEWAY_CALLBACK_URL
        with (
            worker(environment, concurrency=4) as first,
            worker(environment, concurrency=4) as second,
            somebody_kills(first, second) as deaths,
        ):
            pay_all(server.url, bookings)
            wait_until(nothing_moves, seconds=60 + PAYMENTS)
        deaths.left = Payment.objects.filter(status__in=Payment.OPEN).exclude(claimed_until=None).count()
        for minutes in (2, 4):  # claims of the dead have run out by then
            sweep(timezone.now() + timedelta(minutes=minutes))
        assert "Traceback" not in server.output()

    with capsys.disabled():
        print(table(deaths, time.monotonic() - began))  # noqa: T201
    asked = Counter(plan(len(bookings)))
    assert Payment.objects.count() == PAYMENTS
    assert not Payment.objects.filter(status__in=Payment.OPEN).exists()
    assert Payment.objects.filter(status="failed").count() == asked["tok_decline"]
    assert MockGatewayEntry.objects.filter(kind="charge").count() == PAYMENTS
    assert Refund.objects.exists()
    assert deaths.left > PAYMENTS / 100
    assert audit(connection) == []
    assert findings() == []


def plan(count: int) -> list[str]:
    """Return what each pays with, in the order of a seed."""
    rest = 100 - sum(SHARES.values())
    hundred = [token for token, share in (SHARES | {"tok_success": rest}).items() for _ in range(share)]
    tokens = [hundred[number % 100] for number in range(count)]
    random.Random(SEED).shuffle(tokens)
    return tokens


def pay_all(url: str, bookings: list[Booking]) -> None:
    people = [person(url, booking.user) for booking in bookings]
    cancels = set(random.Random(SEED).sample(range(len(bookings)), len(bookings) * CANCEL // 100))

    def pay(number: int, token: str) -> None:
        body = {"booking": bookings[number].pk, "token": token}
        answer = people[number].send("POST", "/api/payments/", body)
        assert answer.status == 202, answer
        if number in cancels:
            leaving.append(regret.submit(cancel, number, answer.body["id"]))

    def cancel(number: int, payment: int) -> None:
        """Cancel while the money is on its way, or has just arrived."""
        wait_until(lambda: Payment.objects.get(pk=payment).status != "pending", seconds=60 + PAYMENTS)
        answer = people[number].send("POST", f"/api/bookings/{bookings[number].pk}/cancel/", {})
        assert answer.status == 200, answer
        connections.close_all()

    leaving: list[Future[None]] = []
    with ThreadPoolExecutor(4) as regret, ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(pay, range(len(bookings)), plan(len(bookings))))
        for left in leaving:
            left.result()


@contextlib.contextmanager
def somebody_kills(*workers: LiveProcess) -> Iterator[Deaths]:
    """Kill a child of a worker again and again, in the middle of whatever it does."""
    deaths, ended, dice = Deaths(), threading.Event(), random.Random(SEED)

    def kill() -> None:
        while not ended.wait(KILL_EVERY_SECONDS):
            held = claims()
            children = [child for each in workers for child in _children(each.process.pid)]
            if children and held.keys() - deaths.lost:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dice.choice(children), signal.SIGKILL)
                deaths.kills += 1
                time.sleep(3 * AT_THE_GATEWAY_MS / 1000)  # the living are done with these by then
                deaths.lost |= {pk for pk, until in claims().items() if held.get(pk) == until}
        connections.close_all()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield deaths
    finally:
        ended.set()
        thread.join()


def claims() -> dict[int, datetime | None]:
    held = Payment.objects.filter(status__in=Payment.OPEN, claimed_until__gt=timezone.now())
    return dict(held.values_list("pk", "claimed_until"))


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def nothing_moves() -> bool:
    """Return whether the living have done what they were sent; what died with a worker waits for a sweep."""
    before = _done()
    time.sleep(QUIET_SECONDS)
    return _done() == before


def _done() -> list[int]:
    told = MockGatewayMessage.objects.exclude(delivered_at=None).count()
    return [told, *(model.objects.count() for model in (StatusChange, Invoice, GatewayCallback))]


def sweep(now: datetime) -> None:
    """Do what Beat's minute does: every job of payments, and the messages that follow. Each takes so many at a time."""
    jobs = all_jobs()
    for name in (
        "mock_gateway_settles", "mock_gateway_tells", "sweep_callbacks", "sweep_payments", "process_payment_timeout",
        "sweep_refunds", "sweep_invoices", "sweep_messages",
    ):  # fmt: skip
        for _ in range(1 + PAYMENTS // BATCH):
            jobs[name].run(now)


def table(deaths: Deaths, seconds: float) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.status, b.status, COUNT(*), SUM(COALESCE(c.amount, 0)), SUM(COALESCE(r.amount, 0))
               FROM payments_payment p JOIN bookings_booking b ON b.id = p.booking_id
               LEFT JOIN payments_mockgatewayentry c ON c.key = p.gateway_key AND c.succeeded
               LEFT JOIN (SELECT charge_reference, SUM(amount) AS amount FROM payments_mockgatewayentry
                          WHERE kind = 'refund' AND succeeded GROUP BY charge_reference) r
                 ON r.charge_reference = c.reference
               GROUP BY p.status, b.status ORDER BY 1, 2"""
        )
        rows = cursor.fetchall()
    died = f"{deaths.kills} workers killed, {deaths.left} payments left at the gateway by it"
    lines = [
        f"\n{PAYMENTS} payments in {seconds:.0f} s, seed {SEED}: {died}, {Refund.objects.count()} refunds",
        f"{'payment':<20} {'booking':<10} {'count':>6} {'gateway took':>14} {'and gave back':>14}",
    ]
    lines += [f"{p:<20} {b:<10} {count:>6} {took:>14.2f} {back:>14.2f}" for p, b, count, took, back in rows]
    return "\n".join(lines)
