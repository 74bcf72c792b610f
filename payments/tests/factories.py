"""Payments for tests."""

from datetime import datetime
from typing import Any

from bookings.models import Booking
from bookings.tests.factories import a_booking
from events.tests.factories import NOW
from payments.models import Payment
from payments.services import process_payment, start_payment


def a_payment(
    *, booking: Booking | None = None, token: str = "tok_success", now: datetime = NOW, **values: Any
) -> Payment:
    """Return a payment that waits for its worker."""
    booking = booking or a_booking(now=now, **({"price": 25} | values))
    return start_payment(user=booking.user, booking_id=booking.pk, token=token, now=now)


def a_processed_payment(**values: Any) -> Payment:
    """Return a payment after its worker took it to the gateway."""
    payment = a_payment(**values)
    process_payment(payment_id=payment.pk, now=values.get("now", NOW))
    payment.refresh_from_db()
    return payment


def a_paid_booking(**values: Any) -> Booking:
    """Return a confirmed booking that was paid."""
    booking = a_processed_payment(**values).booking
    booking.refresh_from_db()
    return booking
