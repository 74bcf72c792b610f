"""Eight processes issue invoices while some are rolled back and some are killed: no gap, no double, no changed byte.

``EVENTHUB_INVOICES=2000`` makes it as long as one likes.
"""

import hashlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking, many_bookings
from bookings.tests.test_overselling import without_constraint
from eventhub_config.development import embedded
from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.live import CHECKOUT
from eventhub_config.tests.races import at_once, outcomes
from events.tests.factories import NOW, an_event
from payments import signals
from payments.models import Invoice, InvoiceDocument, InvoiceRequest, InvoiceSeries, Refund
from payments.services import invoicing, issue_invoice, process_payment, send_refund, start_payment
from payments.services.invoice_content import hash_of_content
from payments.tests.factories import a_processed_payment
from payments.tests.invoices import a_seller
from users.models import CustomUser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

INVOICES = int(os.environ.get("EVENTHUB_INVOICES", "100"))
CREDITED = 5  # one in so many is cancelled and gets a credit note besides
PROCESSES = 8
BETWEEN_KILLS = 4.0  # seconds: one that takes the place of another needs half of that to start

Fingerprints = dict[int, tuple[str, str]]


def owe_invoices(count: int) -> None:
    """Have two organizers owe invoices and credit notes for bookings that were paid, and some that were cancelled."""
    now = timezone.now()
    for _ in range(2):
        event = an_event(organizer=a_seller(), price="24.99", tax_rate=Decimal(19), now=now)
        for number, booking in enumerate(many_bookings(event, count // 2, statuses=(Booking.Status.PENDING,), now=now)):
            payment = start_payment(user=booking.user, booking_id=booking.pk, token="tok_success", now=now)
            process_payment(payment_id=payment.pk, now=now)
            if number % CREDITED == 0:
                cancel_booking(booking_id=booking.pk, actor=event.organizer, now=now)
                send_refund(refund_id=Refund.objects.get(payment=payment).pk, now=now)


def fingerprints() -> Fingerprints:
    """Return, for each invoice, hashes of its whole row and of its document, made from what is stored."""
    rows = {row["id"]: json.dumps(row, sort_keys=True, default=str) for row in Invoice.objects.values()}
    documents = {row.pk: bytes(row.content) for row in InvoiceDocument.objects.iterator(chunk_size=200)}
    return {
        pk: (hashlib.sha256(row.encode()).hexdigest(), hashlib.sha256(documents[pk]).hexdigest())
        for pk, row in rows.items()
    }


class Mills:
    """The processes; a dead one is replaced until there is no more to do."""

    def __init__(self, environment: dict[str, str], seed: int) -> None:
        self.killed = 0
        self._environment = environment
        self._seeds = itertools.count(seed)
        self.log = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed with the test)
            prefix="mills-", suffix=".log", dir=os.environ.get("EVENTHUB_TEST_FOLDER"), delete=False
        )
        self._running: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        self._running = [self._one() for _ in range(PROCESSES)]
        for process in self._running:
            self._wait_until_ready(process)
        for process in self._running:
            self._go(process)

    def work_off(self, seconds: float) -> bool:
        """Wait some time until all is done, and return whether it is. Those that were killed are replaced."""
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
            for process in [process for process in self._running if process.poll() is not None]:
                self._running.remove(process)
                if process.returncode == -signal.SIGKILL:
                    self.killed += 1
                    self._replace()
                else:
                    assert process.returncode == 0, self.said()
        return not self._running

    def kill_one(self, chance: random.Random) -> None:
        """Kill any of them, wherever it is."""
        if self._running:
            chance.choice(self._running).kill()

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
        self.log.close()

    def said(self) -> str:
        with open(self.log.name, errors="replace") as file:
            return file.read()[-20_000:]

    def _replace(self) -> None:
        process = self._one()
        self._running.append(process)
        self._go(process)

    def _one(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "payments.tests.invoice_mill", str(next(self._seeds))],
            cwd=CHECKOUT,
            env={**self._environment, "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "eventhub_config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it makes two system calls
        )

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", self.said()

    @staticmethod
    def _go(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@contextmanager
def mills(environment: dict[str, str], seed: int) -> Iterator[Mills]:
    running = Mills(environment, seed)
    try:
        running.start()
        yield running
    finally:
        running.end()


def numbers() -> dict[int, list[int]]:
    """Return the numbers that each series has given out, by plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT series_id, sequence FROM payments_invoice ORDER BY series_id, sequence")
        found: dict[int, list[int]] = {}
        for series, sequence in cursor.fetchall():
            found.setdefault(series, []).append(sequence)
    return found


def test_numbers_have_no_gap_and_no_double_and_nothing_changes(process_environment: dict[str, str]) -> None:
    """PAY-4, RELIABILITY D1, D2, D4"""
    owe_invoices(INVOICES)
    owed = InvoiceRequest.objects.count()
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    began = time.monotonic()
    with mills(process_environment, seed) as running:
        running.kill_one(chance)
        while Invoice.objects.count() < owed // 2:
            if running.work_off(BETWEEN_KILLS):
                break
            running.kill_one(chance)
        early = fingerprints()
        assert running.work_off(seconds=1500)
    took = time.monotonic() - began

    # Issuing once more, and whatever changes around them, changes nothing.
    for request_id in InvoiceRequest.objects.values_list("pk", flat=True)[:50]:
        issue_invoice(request_id=request_id, now=timezone.now())
    at_the_end = fingerprints()
    CustomUser.objects.filter(user_type=CustomUser.UserType.ATTENDEE).update(first_name="Renamed", last_name="")
    after_all = fingerprints()

    failed = sum(InvoiceRequest.objects.values_list("attempts", flat=True)) - owed
    print(  # noqa: T201
        f"\n{owed} invoices and credit notes from {PROCESSES} processes in {took:.1f} s (seed {seed}): "
        f"{failed} attempts rolled back, of these {running.killed} with their process; {len(numbers())} series"
    )
    assert Invoice.objects.count() == InvoiceDocument.objects.count() == owed
    assert InvoiceRequest.objects.filter(invoice=None).count() == 0
    for series, drawn in numbers().items():
        assert drawn == list(range(1, len(drawn) + 1))
        assert InvoiceSeries.objects.get(pk=series).last_number == len(drawn)
    assert {pk: at_the_end[pk] for pk in early} == early
    assert after_all == at_the_end
    for invoice in Invoice.objects.iterator(chunk_size=200):
        assert invoice.content_sha256 == hash_of_content(invoice)
        assert invoice.pdf_sha256 == at_the_end[invoice.pk][1]
    assert failed > running.killed > 0
    assert [str(finding) for check in all_checks() for finding in check.findings()] == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time, lock or no lock")
def test_the_control_a_number_drawn_without_the_lock_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    event = an_event(price=5, organizer=a_seller())
    for _ in range(5):
        a_processed_payment(booking=a_booking(event=event))
    first, *others = InvoiceRequest.objects.order_by("pk").values_list("pk", flat=True)
    issue_invoice(request_id=first, now=NOW)
    looked = threading.Barrier(len(others))

    def draw_carelessly(invoice: Invoice) -> None:
        series = InvoiceSeries.objects.get(kind=invoice.kind)
        looked.wait(timeout=10)
        series.last_number += 1
        series.save(update_fields=["last_number"])
        invoice.series, invoice.sequence = series, series.last_number
        invoice.number = f"{series.prefix}-{threading.get_ident()}"

    monkeypatch.setattr(invoicing, "_number", draw_carelessly)
    with without_constraint(Invoice, "payments_invoice_number_once"):
        results = at_once([lambda pk=pk: issue_invoice(request_id=pk, now=NOW) for pk in others])
        drawn = Counter(Invoice.objects.values_list("sequence", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE payments_invoice CASCADE")

    assert outcomes(results) == {"ok": 4}
    assert drawn == {1: 1, 2: 4}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time, lock or no lock")
def test_the_control_a_number_drawn_in_a_transaction_of_its_own_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    event = an_event(price=5, organizer=a_seller())
    for _ in range(3):
        a_processed_payment(booking=a_booking(event=event))
    first, second, third = InvoiceRequest.objects.order_by("pk").values_list("pk", flat=True)
    issue_invoice(request_id=first, now=NOW)

    def draw_apart(invoice: Invoice) -> None:
        def draw() -> None:
            series = InvoiceSeries.objects.get(kind=invoice.kind)
            series.last_number += 1
            series.save(update_fields=["last_number"])
            connection.close()

        thread = threading.Thread(target=draw)
        thread.start()
        thread.join()
        invoice.series = InvoiceSeries.objects.get(kind=invoice.kind)
        invoice.sequence = invoice.series.last_number
        invoice.number = f"{invoice.series.prefix}-{invoice.sequence}"

    def fail(**_: Any) -> None:
        raise RuntimeError("a receiver that breaks")

    monkeypatch.setattr(invoicing, "_number", draw_apart)
    signals.invoice_issued.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            issue_invoice(request_id=second, now=NOW)
    finally:
        signals.invoice_issued.disconnect(fail)
    issue_invoice(request_id=third, now=NOW + timedelta(minutes=1))

    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 3]
