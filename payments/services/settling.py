"""What money that came in does to its booking, and what a booking's end does to its payments."""

from datetime import datetime

from django.db import transaction

from bookings.models import Booking
from bookings.services import confirm_booking, confirm_late_payment
from bookings.services.booking import AlreadyBooked
from eventhub_config.shared.actors import Actor, System
from events.availability import CannotBook, EventIsCancelled
from events.services.seats import EventChanged
from payments.models import Payment
from payments.services.refunding import refund_surplus, request_refund

SETTLING = System("settle_payment")


def settle(*, payment: Payment, booking: Booking, now: datetime) -> None:
    """Confirm the booking that a completed payment is for; what is not owed goes back.

    The caller holds the locks of event, booking and payment. Money for a booking that is no longer payable: confirmed
    if its seats are still free, else refunded by itself. A wrong amount pays for nothing and goes back whole.
    """
    if payment.failure_code == Payment.WRONG_AMOUNT:
        reason = "The amount that arrived is not the one that was asked for."
        request_refund(payment=payment, amount=payment.amount, reason=reason, actor=SETTLING, now=now)
        return
    if booking.status == Booking.Status.PENDING:
        try:
            with transaction.atomic():
                confirm_booking(booking_id=booking.pk, actor=SETTLING, now=now)
        except EventIsCancelled:
            return  # the closing of the event's bookings finds it, and gives everything back
    elif booking.status == Booking.Status.EXPIRED:
        try:
            with transaction.atomic():
                confirm_late_payment(booking_id=booking.pk, actor=SETTLING, now=now)
        except (CannotBook, AlreadyBooked, EventChanged):
            pass  # refunded below: an expired booking is owed nothing
    booking.refresh_from_db()
    cancel_open_payments(booking=booking, actor=SETTLING, now=now)  # from another tab: nobody needs it any more
    refund_surplus(booking=booking, reason=_why_returned(booking), actor=SETTLING, now=now)


def cancel_open_payments(*, booking: Booking, actor: Actor, now: datetime) -> None:
    """Cancel a booking's payments that did not reach the gateway yet; what did is settled when it answers."""
    pending = Payment.objects.select_for_update(no_key=True).filter(booking=booking, status=Payment.Status.PENDING)
    for payment in pending.order_by("pk"):
        payment.work_is_done()
        payment.token = ""
        payment.move_to(Payment.Status.CANCELLED, actor=actor, at=now, also=[*payment.WORK_COLUMNS, "token"])


def _why_returned(booking: Booking) -> str:
    if booking.waiver_reason:
        return "The booking was confirmed without a payment."
    if booking.status == Booking.Status.CONFIRMED:
        return "The booking was paid already."
    return "The booking was closed before the payment arrived, and its seats are gone."
