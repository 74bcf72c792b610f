"""Money that people took themselves, at the counter or by a transfer, recorded as a payment like any other."""

from datetime import datetime

from django.db import IntegrityError

from bookings.models import Booking
from bookings.services import confirm_late_payment, lock_booking
from bookings.services.booking import AlreadyBooked, lock_user
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from events.availability import EventIsCancelled
from events.models import Event
from events.services.editing import require_owner
from payments import signals
from payments.models import Payment
from payments.services.charging import BookingNotPayable, NothingToPay, PaymentInProgress
from payments.services.settling import cancel_open_payments, settle


@unit_of_work
def record_payment(
    *, booking_id: int, method: str, note: str, actor: Actor, now: datetime, key: IdempotencyKey | None = None
) -> Payment:
    """Record that all that is due for a booking was paid past the gateways, and confirm the booking.

    A hold that has run out is paid like one that has not. An expired booking is confirmed if its seats are still free;
    if not, nothing is recorded, since whoever took the money can hand it back.

    :raises NotOwner: the actor does not run the event.
    :raises NothingToPay: it is confirmed.
    :raises BookingNotPayable: it is cancelled.
    :raises EventIsCancelled: its event is.
    :raises PaymentInProgress: another payment for it is at its gateway.
    :raises CannotBook: it expired, and its seats are not free any more.
    :raises AlreadyBooked: it expired, and the person has booked the event again since.
    """
    key = key or IdempotencyKey()
    made_before = key.find(Payment)
    if made_before is not None:
        return made_before
    # Who may be booking the event again, if this booking expires just now.
    lock_user(Booking.objects.select_related("user").get(pk=booking_id).user)
    event, booking = lock_booking(booking_id)
    require_owner(event, actor)
    _require_payable(event, booking)
    cancel_open_payments(booking=booking, actor=actor, now=now)
    if Payment.objects.filter(booking=booking, status__in=Payment.OPEN).exists():
        raise PaymentInProgress
    if booking.status == Booking.Status.EXPIRED:
        try:
            booking = confirm_late_payment(booking_id=booking.pk, actor=actor, now=now)
        except AlreadyBooked as error:  # in its own words it speaks to whoever booked
            raise AlreadyBooked("Whoever booked has booked this event again since.") from error
    payment = _completed(booking, method, note, actor, now)
    key.record(payment, status=201, now=now)
    signals.payment_completed.send(sender=Payment, payment=payment, now=now)
    settle(payment=payment, booking=booking, now=now)
    return payment


def _completed(booking: Booking, method: str, note: str, actor: Actor, now: datetime) -> Payment:
    payment = Payment(
        booking=booking,
        amount=booking.amount_due,
        currency=booking.currency,
        method=method,
        note=note,
        gateway=Payment.BY_HAND,
        status_changed_at=now,
        created_at=now,
    )
    try:
        payment.save(force_insert=True)
    except IntegrityError as error:  # its user asked to pay in the same moment
        raise PaymentInProgress from error
    payment.record_creation(actor=actor, at=now)
    payment.completed_at = now
    payment.move_to(Payment.Status.COMPLETED, actor=actor, at=now, note=note, also=["completed_at"])
    return payment


def _require_payable(event: Event, booking: Booking) -> None:
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if booking.status in {Booking.Status.CONFIRMED, Booking.Status.NO_SHOW}:
        raise NothingToPay
    if booking.status == Booking.Status.CANCELLED or booking.total_amount <= money.ZERO:
        raise BookingNotPayable
