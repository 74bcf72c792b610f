"""Bookings that are confirmed: by money, in time or late, or by those who run the event."""

from datetime import datetime, timedelta

from django.conf import settings

from bookings import signals
from bookings.models import Booking, Ticket, seats_by_type
from bookings.services.booking import AlreadyBooked
from bookings.services.closing import lock_booking
from bookings.services.queue import give_up_places
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.transactions import unit_of_work
from events.availability import EventIsCancelled
from events.models import Event
from events.services import read_offer, take_seats
from events.services.editing import require_owner


@unit_of_work
def confirm_booking(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Confirm a pending booking; its seats are held already.

    :raises EventIsCancelled: the event was cancelled meanwhile.
    :raises InvalidTransition: the booking is not pending.
    """
    event, booking = lock_booking(booking_id)
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if booking.status != Booking.Status.PENDING:
        raise booking.cannot_become(Booking.Status.CONFIRMED)
    return _confirm(booking, actor, now)


@unit_of_work
def confirm_by_hand(*, booking_id: int, reason: str, actor: Actor, now: datetime) -> Booking:
    """Confirm a pending booking without a payment, as those who run the event may: nothing is due for it any more.

    A payment that has not reached its gateway is cancelled; money that arrives all the same goes back.

    :raises NotOwner: the actor does not run the event.
    :raises EventIsCancelled: the event was cancelled meanwhile.
    :raises InvalidTransition: the booking is not pending.
    """
    event, booking = lock_booking(booking_id)
    require_owner(event, actor)
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if booking.status != Booking.Status.PENDING:
        raise booking.cannot_become(Booking.Status.CONFIRMED)
    booking.amount_due, booking.waiver_reason = money.ZERO, reason
    _confirm(booking, actor, now, note=reason)
    signals.booking_confirmed_by_hand.send(sender=Booking, booking=booking, actor=actor, now=now)
    return booking


@unit_of_work
def confirm_late_payment(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Confirm an expired booking whose money arrived after all, if its seats are still free.

    :raises InvalidTransition: the booking did not expire.
    :raises AlreadyBooked: the person has another active booking for the event.
    :raises CannotBook: the seats are gone, somebody waits for them, or registration is over.
    """
    event, booking = lock_booking(booking_id)
    if booking.status != Booking.Status.EXPIRED:
        raise booking.cannot_become(Booking.Status.CONFIRMED)
    if Booking.objects.active().filter(user_id=booking.user_id, event=event).exists():
        raise AlreadyBooked
    give_up_places(user_ids=[booking.user_id], event=event, actor=actor, now=now)
    wanted = seats_by_type(Ticket.objects.filter(booking=booking))
    take_seats(read_offer(event.pk), wanted, now=now)
    booking.amount_due = booking.total_amount
    return _confirm(booking, actor, now)


@unit_of_work
def extend_hold(*, booking: Booking, now: datetime) -> None:
    """Give a payment in progress time to finish: once per booking. The caller holds the booking's lock."""
    if booking.hold_extended_at is None and booking.status == Booking.Status.PENDING and booking.expires_at:
        booking.expires_at = max(booking.expires_at, now + timedelta(minutes=settings.HOLD_EXTENSION_MINUTES))
        booking.hold_extended_at = now
        booking.save(update_fields=["expires_at", "hold_extended_at"])


def _confirm(booking: Booking, actor: Actor, now: datetime, note: str = "") -> Booking:
    booking.confirmed_at = now
    booking.expires_at = None
    columns = ["confirmed_at", "expires_at", "amount_due", "waiver_reason"]
    booking.move_to(Booking.Status.CONFIRMED, actor=actor, at=now, note=note, also=columns)
    signals.booking_confirmed.send(sender=Booking, booking=booking, now=now)
    return booking
