"""Money that people give back: those who run an event decide how much, beyond what any policy owes."""

from datetime import datetime
from decimal import Decimal

from bookings.models import Booking
from bookings.services import cancel_booking, lock_booking, lower_amount_due
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError, InvalidInput
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from events.services.editing import require_owner
from payments.models import Payment, Refund
from payments.services.refunding import (
    RefundExceedsPayment,
    conclude,
    cover,
    kept,
    lock_paying,
    refundable,
    request_refund,
)


class PaymentNotCompleted(DomainError):
    code = "payment_not_completed"
    title = "No money came in with this payment, so none can go back."


@unit_of_work
def refund_payment(
    *,
    payment_id: int,
    amount: Decimal | None,
    reason: str,
    actor: Actor,
    now: datetime,
    key: IdempotencyKey | None = None,
) -> Refund:
    """Give a payment back, or a part of it; ``amount`` None: all that is left of it.

    What goes back beyond what is owed back lowers what is due for the booking. If nothing is left of the money of a
    confirmed booking, the booking is cancelled with it.

    :raises NotOwner: the actor does not run the event.
    :raises PaymentNotCompleted: it is open, failed or cancelled.
    :raises InvalidInput: the amount is not positive, or has more decimals than its currency.
    :raises RefundExceedsPayment: less than that is left.
    :raises InvalidTransition: the booking is still to be settled.
    """
    key = key or IdempotencyKey()
    made_before = key.find(Refund)
    if made_before is not None:
        return made_before
    event, booking = lock_booking(Payment.objects.values_list("booking_id", flat=True).get(pk=payment_id))
    payments = lock_paying(booking)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    require_owner(event, actor)
    if payment.status not in Payment.TAKEN:
        raise PaymentNotCompleted
    if amount is not None:
        _require_amount(amount, payment.currency)
    left = refundable(payment)
    if left == money.ZERO:
        raise RefundExceedsPayment("All of this payment went back, or is on its way.")
    if amount is not None and amount > left:
        most = f"{money.as_text(left, payment.currency)} {payment.currency}"
        raise RefundExceedsPayment(f"No more than {most} is left of this payment.")
    counts = payment.failure_code != Payment.WRONG_AMOUNT
    if counts and booking.status == Booking.Status.PENDING:  # its event was cancelled: closing it gives all back
        raise booking.cannot_become("refunded")
    refund = request_refund(
        payment=payment, amount=left if amount is None else amount, reason=reason, actor=actor, now=now
    )
    key.record(refund, status=201, now=now)
    if counts:
        _settle_with(booking, reason, actor, now)
        conclude(booking=booking, payments=payments, actor=actor, now=now)
    else:
        cover(payments=[payment], owed=refundable(payment), actor=actor, now=now)
    return refund


def _settle_with(booking: Booking, reason: str, actor: Actor, now: datetime) -> None:
    """Bring what is due for a booking down to what is kept; cancel it if that is nothing any more."""
    remaining = kept(booking)
    if remaining >= booking.amount_due:
        return
    if remaining == money.ZERO and booking.status == Booking.Status.CONFIRMED:
        cancel_booking(booking_id=booking.pk, actor=actor, now=now, reason=reason)
    else:
        lower_amount_due(booking=booking, to=remaining, reason=reason)


def _require_amount(amount: Decimal, currency: str) -> None:
    if not amount.is_finite() or amount <= money.ZERO:
        raise InvalidInput.field("amount", "min_value", "Give back more than nothing.")
    if not money.fits(amount, currency):
        message = f"{currency} has {money.exponent(currency)} decimals."
        raise InvalidInput.field("amount", "too_many_decimals", message)
