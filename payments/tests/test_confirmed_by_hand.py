"""Money for a booking that was confirmed by hand, or cancelled as the preview said."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.models import Sum

from bookings.models import Booking
from bookings.services import cancel_booking, confirm_by_hand
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.periodic import all_jobs
from eventhub_config.tests.races import at_once, outcomes
from events.tests.factories import NOW, START
from payments.gateway import Outcome, State
from payments.models import InvoiceRequest, MockGatewayEntry, Payment, Refund
from payments.services import process_payment, record_charge, start_payment
from payments.tests.factories import a_paid_booking, a_payment
from users.tests.factories import a_client_of

pytestmark = pytest.mark.django_db


def by_hand(booking: Booking) -> Booking:
    return confirm_by_hand(booking_id=booking.pk, reason="In cash", actor=booking.event.organizer, now=NOW)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def settle_everything(now: Any) -> None:
    for _ in range(4):
        for job in all_jobs().values():
            job.run(now)


def test_a_payment_that_waits_is_cancelled() -> None:
    """BKG-4"""
    payment = a_payment()

    by_hand(payment.booking)
    process_payment(payment_id=payment.pk, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.token) == ("cancelled", "")
    assert MockGatewayEntry.objects.count() == 0
    assert findings() == []


def test_a_payment_at_the_gateway_goes_back_when_it_completes() -> None:
    payment = a_payment()
    Payment.objects.update(status="processing", next_attempt_at=NOW + timedelta(minutes=1))

    by_hand(payment.booking)
    payment.refresh_from_db()
    still = payment.status
    record_charge(
        payment_id=payment.pk, outcome=Outcome(State.SUCCEEDED, "ref", payment.amount, payment.currency), now=NOW
    )

    refund = Refund.objects.get()
    assert (still, Payment.objects.get().status) == ("processing", "completed")
    assert (refund.amount, refund.reason) == (payment.amount, "The booking was confirmed without a payment.")
    assert InvoiceRequest.objects.count() == 0
    assert (Booking.objects.get().status, Booking.objects.get().amount_due) == ("confirmed", Decimal(0))


def test_cannot_be_paid_any_more() -> None:
    from payments.services.charging import NothingToPay

    booking = by_hand(a_booking(price=25))

    with pytest.raises(NothingToPay):
        start_payment(user=booking.user, booking_id=booking.pk, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_confirming_against_a_payment_that_completes_keeps_what_is_due() -> None:
    """Whichever comes first, what is kept is what is due: the price, or nothing."""
    ended = set()
    for _ in range(8):
        payment = a_payment()
        results = at_once(
            [
                lambda pk=payment.pk: process_payment(payment_id=pk, now=NOW),
                lambda booking=payment.booking: by_hand(booking),
                lambda booking=payment.booking: start_payment(user=booking.user, booking_id=booking.pk, now=NOW),
            ]
        )
        assert set(outcomes(results)) <= {"ok", "invalid_transition", "payment_in_progress", "nothing_to_pay"}
        booking = Booking.objects.get(pk=payment.booking_id)
        assert booking.status == "confirmed"
        ended.add((bool(booking.waiver_reason), booking.amount_due))
    settle_everything(NOW + timedelta(minutes=2))

    assert ended <= {(True, Decimal(0)), (False, Decimal(25))}
    assert findings() == []


@pytest.mark.parametrize(
    "policy",
    [
        {"refund_policy": "full"},
        {"refund_policy": "partial", "refund_percent": 33},
        {"refund_policy": "none"},
    ],
)
@pytest.mark.parametrize("who", ["attendee", "organizer"])
def test_what_the_preview_tells_is_what_goes_back(policy: dict[str, Any], who: str) -> None:
    booking = a_paid_booking(price="10.05", **policy)
    actor = booking.user if who == "attendee" else booking.event.organizer
    then = START - timedelta(days=3)

    with time_machine.travel(then, tick=False):
        told = a_client_of(actor).get(f"/api/bookings/{booking.pk}/cancellation/").json()
    cancel_booking(booking_id=booking.pk, actor=actor, now=then)

    back = Refund.objects.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    assert Decimal(told["refund_amount"]) == back
    assert Decimal(told["paid_amount"]) == Payment.objects.get().amount
    settle_everything(then)
    assert findings() == []
