"""Whatever happens to bookings and their money, in whatever order, the books are right afterwards.

Each life is a random walk over the services, from a number that the failure names. ``EVENTHUB_LIVES`` says how many
there are, ``EVENTHUB_FIRST_LIFE`` with which number they begin.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from bookings.models import Booking, Waitlist
from bookings.services import accept_offer, cancel_booking, confirm_by_hand, join_waitlist
from bookings.tests.factories import a_booking
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.periodic import all_jobs
from eventhub_config.tests.auditing import audit
from eventhub_config.tests.world import undone
from events.services import cancel_event
from events.tests.factories import NOW, an_event
from payments.models import Payment, Refund
from payments.services import (
    mark_refund_as_paid,
    process_payment,
    record_payment,
    refund_payment,
    retry_refund,
    send_refund,
    start_payment,
    time_out_payment,
)
from users.tests.factories import a_user

LIVES = int(os.environ.get("EVENTHUB_LIVES", "15"))
FIRST = int(os.environ.get("EVENTHUB_FIRST_LIFE", "1"))
STEPS = 30
TOKENS = [
    *["tok_success"] * 5,
    "tok_decline",
    "tok_timeout",
    "tok_late_success:30",
    "tok_late_success:2000",
    "tok_late_decline:2000",
    "tok_wrong_amount",
    "tok_wrong_currency",
    "tok_action_required",
    "tok_refund_fails",
    "tok_refund_pending",
]
PRICES = [("EUR", "25.00", 19), ("EUR", "0.01", 0), ("JPY", "1111", 10), ("KWD", "3.335", 7)]

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120 + 6 * LIVES)]


class Life:
    """One event with few seats, some people who want them, and a clock."""

    def __init__(self, number: int, clock: Any) -> None:
        self.dice, self.clock = random.Random(number), clock
        self.told: list[str] = []
        self.refused: Counter[str] = Counter()
        clock.move_to(NOW)
        currency, price, tax = self.dice.choice(PRICES)
        policy = self.dice.choice(["full", "partial", "none"])
        self.event = an_event(
            capacity=3, price=price, currency=currency, tax_rate=tax, refund_policy=policy, refund_percent=33
        )
        self.people = [a_user() for _ in range(4)]

    # --- What may happen ----------------------------------------------------------------------------------------------

    def book(self) -> None:
        a_booking(user=self.dice.choice(self.people), event=self.event, seats=self.dice.choice([1, 1, 2]), now=self.now)

    def pay(self) -> None:
        booking, token = self.any(Booking), self.dice.choice(TOKENS)
        self.told.append(f"{booking} {token}")
        payment = start_payment(user=booking.user, booking_id=booking.pk, token=token, now=self.now)
        if self.dice.random() < 0.7:
            process_payment(payment_id=payment.pk, now=self.now)

    def work_on_a_payment(self) -> None:
        process_payment(payment_id=self.any(Payment).pk, now=self.now)

    def time_out(self) -> None:
        time_out_payment(payment_id=self.any(Payment).pk, now=self.now)

    def cancel(self) -> None:
        booking = self.any(Booking)
        actor = self.dice.choice([booking.user, self.event.organizer])
        cancel_booking(booking_id=booking.pk, actor=actor, now=self.now)

    def confirm_without_payment(self) -> None:
        confirm_by_hand(booking_id=self.any(Booking).pk, reason="A friend", actor=self.event.organizer, now=self.now)

    def pay_in_cash(self) -> None:
        booking, organizer = self.any(Booking), self.event.organizer
        record_payment(booking_id=booking.pk, method="cash", note="At the door", actor=organizer, now=self.now)

    def give_back(self) -> None:
        payment = self.any(Payment)
        part = (payment.amount * self.dice.choice([1, 2, 3]) / 4).quantize(
            Decimal(1) if payment.currency == "JPY" else Decimal("0.01")
        )
        amount = self.dice.choice([None, part])
        refund_payment(payment_id=payment.pk, amount=amount, reason="Sorry", actor=self.event.organizer, now=self.now)

    def send_a_refund(self) -> None:
        send_refund(refund_id=self.any(Refund).pk, now=self.now)

    def retry_a_refund(self) -> None:
        retry_refund(refund_id=self.any(Refund).pk, actor=self.event.organizer, now=self.now)

    def give_back_by_hand(self) -> None:
        mark_refund_as_paid(refund_id=self.any(Refund).pk, note="In cash", actor=self.event.organizer, now=self.now)

    def queue_up(self) -> None:
        join_waitlist(user=self.dice.choice(self.people), event_id=self.event.pk, seats=1, now=self.now)

    def accept(self) -> None:
        entry = self.any(Waitlist)
        accept_offer(entry_id=entry.pk, actor=entry.user, now=self.now)

    def call_off(self) -> None:
        if self.dice.random() < 0.2:
            cancel_event(event_id=self.event.pk, reason="Storm", actor=self.event.organizer, now=self.now)

    def wait(self) -> None:
        minutes = self.dice.choice([0.5, 1, 2, 16, 40])
        self.told.append(f"{minutes} minutes")
        self.clock.shift(timedelta(minutes=minutes))

    def sweep(self) -> None:
        name, job = self.dice.choice(sorted(all_jobs().items()))
        self.told.append(name)
        job.run(self.now)

    # --- How it goes on -----------------------------------------------------------------------------------------------

    @property
    def now(self) -> Any:
        return timezone.now()

    def any(self, model: type[Any]) -> Any:
        rows = list(model.objects.order_by("pk"))
        if not rows:
            raise _NothingThere
        return self.dice.choice(rows)

    def step(self) -> None:
        ways: list[Callable[[], None]] = [
            *[self.book, self.pay, self.wait, self.sweep] * 3,
            *[self.give_back, self.cancel, self.send_a_refund, self.retry_a_refund, self.give_back_by_hand],
            *[self.work_on_a_payment, self.time_out, self.confirm_without_payment, self.pay_in_cash],
            *[self.queue_up, self.accept, self.call_off],
        ]
        way = self.dice.choice(ways)
        self.told.append(way.__name__)
        try:
            way()
        except _NothingThere:
            self.told[-1] += " (nothing there)"
        except DomainError as refusal:
            self.told[-1] += f" ({refusal.code})"
            self.refused[refusal.code] += 1

    def come_to_rest(self) -> None:
        """Let all jobs run until nothing is owed; what only people can finish, they finish."""
        for _ in range(6):
            self.clock.shift(timedelta(minutes=25))
            for job in all_jobs().values():
                job.run(self.now)
            for refund in Refund.objects.exclude(status=Refund.Status.COMPLETED):
                try:
                    mark_refund_as_paid(
                        refund_id=refund.pk, note="By transfer", actor=self.event.organizer, now=self.now
                    )
                except DomainError:
                    continue  # it is on its way


class _NothingThere(Exception):
    pass


@pytest.fixture
def clock(at_rest_logs: None) -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def at_rest_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Sweeps log what breaks and go on; here nothing may break."""
    yield
    assert [record.getMessage() for record in caplog.records if record.name.endswith("periodic")] == []


def test_the_books_are_right_after_every_life(clock: Any) -> None:
    """PAY-1 to PAY-6, BKG-3, RELIABILITY C1 to C6: 0 findings, by ``check_integrity`` and by plain SQL."""
    wrong: dict[int, list[str]] = {}
    for number in range(FIRST, FIRST + LIVES):
        with undone():
            life = Life(number, clock)
            on_the_way: list[str] = []
            for _ in range(STEPS):
                life.step()
                # Until somebody has given back what the gateway would not, more is kept than is due.
                refused = Refund.objects.filter(status=Refund.Status.FAILED).exists()
                on_the_way += audit(connection, at_rest=False, but=["money_of_rows"] if refused else [])
                if on_the_way:
                    break
            life.come_to_rest()
            found = [str(finding) for check in all_checks() for finding in check.findings()]
            found = [*on_the_way, *found, *audit(connection)]
            if found:
                wrong[number] = [*life.told, "=>", *found]

    assert not wrong, "\n".join(f"life {number}: {', '.join(told)}" for number, told in wrong.items())
