"""Giving back under concurrency: never more than was paid, whoever else wants the same money at the same moment."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.periodic import all_jobs
from eventhub_config.tests.races import at_once, outcomes
from events.services import cancel_event
from events.tests.factories import NOW
from payments.models import MockGatewayEntry, Payment, Refund
from payments.services import (
    giving_back,
    mark_refund_as_paid,
    record_payment,
    refund_payment,
    retry_refund,
    send_refund,
    start_payment,
)
from payments.services.refunding import refundable
from payments.tests.factories import a_paid_booking

pytestmark = pytest.mark.django_db(transaction=True)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def settle_everything(now: Any = NOW + timedelta(minutes=2)) -> None:
    for _ in range(4):
        for job in all_jobs().values():
            job.run(now)


def giving(booking: Booking, amount: str | None, reason: str = "Rain", key: str = "") -> Callable[[], Refund]:
    """Return a call that gives back, as the organizer of a paid booking."""
    payment = Payment.objects.get(booking=booking)
    actor, value = booking.event.organizer, Decimal(amount) if amount else None

    def give() -> Refund:
        once = IdempotencyKey(actor.pk, "refund", key, "body") if key else None
        return refund_payment(payment_id=payment.pk, amount=value, reason=reason, actor=actor, now=NOW, key=once)

    return give


def given_back() -> Decimal:
    entries = MockGatewayEntry.objects.filter(kind="refund", succeeded=True)
    return sum((entry.amount for entry in entries), Decimal(0))


def test_twenty_full_refunds_of_one_payment_are_one() -> None:
    """RELIABILITY C4"""
    booking = a_paid_booking(price="25.00")

    results = at_once([giving(booking, None)] * 20)
    settle_everything()

    assert outcomes(results) == {"ok": 1, "refund_exceeds_payment": 19}
    assert (Refund.objects.count(), given_back()) == (1, Decimal("25.00"))
    assert Booking.objects.get().status == "cancelled"
    assert findings() == []


def test_twenty_times_the_same_key_is_one_refund() -> None:
    """RELIABILITY B1"""
    booking = a_paid_booking(price="25.00")

    results = at_once([giving(booking, "1.00", key="k1")] * 20)

    assert set(outcomes(results)) <= {"ok", "request_in_progress"}
    assert Refund.objects.count() == 1


def test_two_times_sixty_percent_is_one() -> None:
    for _ in range(5):
        booking = a_paid_booking(price="25.00")

        results = at_once([giving(booking, "15.00")] * 2)

        assert outcomes(results) == {"ok": 1, "refund_exceeds_payment": 1}
    settle_everything()
    assert given_back() == 5 * Decimal("15.00")
    assert findings() == []


def test_many_parts_end_at_what_was_paid_and_cancel_the_booking_once() -> None:
    booking = a_paid_booking(price="25.00")

    results = at_once([giving(booking, "2.50")] * 20)
    settle_everything()

    assert outcomes(results) == {"ok": 10, "refund_exceeds_payment": 10}
    assert (Booking.objects.get().status, given_back()) == ("cancelled", Decimal("25.00"))
    assert findings() == []


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_it_is_the_lock_that_keeps_it_right(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without locks, and with time between looking and writing, more goes back than was paid."""
    if connection.vendor == "sqlite" and not guarded:
        pytest.skip("SQLite has one writer at a time, with or without locks of rows.")

    def slowly(payment: Payment) -> Decimal:
        left = refundable(payment)
        time.sleep(0.1)
        return left

    booking = a_paid_booking(price="25.00")
    calls = [giving(booking, "15.00")] * 5
    monkeypatch.setattr(giving_back, "refundable", slowly)
    if not guarded:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    results = at_once(calls)

    promised = sum((refund.amount for refund in Refund.objects.all()), Decimal(0))
    assert outcomes(results)["ok"] == Refund.objects.count()
    assert (promised <= Decimal("25.00")) == guarded


def test_giving_back_against_cancelling_against_the_end_of_the_event() -> None:
    """RELIABILITY C11: whoever comes first, all of it goes back, once, and no deadlock surfaces."""
    for _ in range(5):
        booking = a_paid_booking(price="25.00")
        event, organizer = booking.event, booking.event.organizer

        results = at_once(
            [
                giving(booking, "10.00"),
                giving(booking, None),
                lambda b=booking: cancel_booking(booking_id=b.pk, actor=b.user, now=NOW),
                lambda e=event, o=organizer: cancel_event(event_id=e.pk, reason="Storm", actor=o, now=NOW),
            ]
        )

        assert set(outcomes(results)) <= {"ok", "refund_exceeds_payment", "invalid_transition"}
    settle_everything()
    settle_everything(NOW + timedelta(minutes=5))

    assert set(Payment.objects.values_list("status", flat=True)) == {"refunded"}
    assert given_back() == 5 * Decimal("25.00")
    assert findings() == []


def test_trying_again_against_paying_by_hand_gives_back_once() -> None:
    """RELIABILITY C5"""
    for _ in range(4):
        booking = a_paid_booking(token="tok_refund_fails", price="25.00")
        organizer = booking.event.organizer
        cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
        refund = Refund.objects.get(payment__booking=booking)
        send_refund(refund_id=refund.pk, now=NOW)
        MockGatewayEntry.objects.filter(kind="charge").update(script="tok_success")

        at_once(
            [
                *[lambda r=refund, o=organizer: retry_refund(refund_id=r.pk, actor=o, now=NOW)] * 3,
                *[
                    lambda r=refund, o=organizer: mark_refund_as_paid(refund_id=r.pk, note="Cash", actor=o, now=NOW)
                ] * 3,
                *[lambda r=refund: send_refund(refund_id=r.pk, now=NOW)] * 3,
            ]
        )  # fmt: skip
        settle_everything()

        refund.refresh_from_db()
        sent = MockGatewayEntry.objects.filter(key=refund.gateway_key, succeeded=True).exists()
        assert refund.status == "completed"
        assert sent != bool(refund.by_hand_note)
    assert findings() == []


def test_money_by_hand_against_a_payment_of_ones_own_is_paid_once() -> None:
    """RELIABILITY C2"""
    for _ in range(5):
        booking = a_booking(price="25.00")
        organizer = booking.event.organizer

        results = at_once(
            [
                lambda b=booking: start_payment(user=b.user, booking_id=b.pk, token="tok_success", now=NOW),
                *[
                    lambda b=booking, o=organizer: record_payment(
                        booking_id=b.pk, method="cash", note="", actor=o, now=NOW
                    )
                ] * 3,
            ]
        )  # fmt: skip
        settle_everything()

        assert set(outcomes(results)) <= {"ok", "nothing_to_pay", "payment_in_progress"}
        assert Payment.objects.taken().filter(booking=booking).count() == 1
    assert given_back() == 0
    assert findings() == []
