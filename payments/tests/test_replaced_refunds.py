"""A refund that failed needs nobody's eye any more, once its money is promised back in another way."""

from decimal import Decimal

import pytest

from bookings.services import cancel_booking
from events.tests.factories import NOW
from payments.models import Payment, Refund
from payments.services import refund_payment, send_refund
from payments.tests.factories import a_paid_booking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def a_failed_refund(amount: str) -> Refund:
    """Return a part of a payment of 25 that its gateway did not give back."""
    booking = a_paid_booking(token="tok_refund_fails", price="25.00")
    payment = Payment.objects.get(booking=booking)
    organizer = booking.event.organizer
    refund = refund_payment(payment_id=payment.pk, amount=Decimal(amount), reason="Rain", actor=organizer, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)
    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, NOW)
    return refund


def test_it_is_shown_no_more_when_all_of_the_payment_goes_back() -> None:
    """PAY-5"""
    refund = a_failed_refund("10.00")
    booking = refund.payment.booking

    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)

    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, None)
    assert list(Refund.objects.counting().values_list("amount", flat=True)) == [Decimal("25.00")]


def test_it_stays_while_its_money_is_still_there() -> None:
    refund = a_failed_refund("10.00")

    refund_payment(
        payment_id=refund.payment_id,
        amount=Decimal("15.00"),
        reason="Snow",
        actor=refund.payment.booking.event.organizer,
        now=NOW,
    )

    refund.refresh_from_db()
    assert refund.parked_at == NOW
