"""Bookings that end: cancelled by somebody, or expired unpaid. Their seats go back exactly once, at that moment."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from bookings import signals
from bookings.models import Booking, Ticket, seats_by_type
from bookings.services.queue import offer_freed_seats
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor, System, is_person
from eventhub_config.shared.errors import DomainError, Forbidden, InvalidTransition
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.shared.transitions import move_all
from events.models import Event
from events.services import lock_event, release_seats
from events.services.editing import EventHasStarted


class NotYourBooking(Forbidden):
    code = "not_your_booking"
    title = "This booking is somebody else's."


@unit_of_work
def cancel_booking(
    *, booking_id: int, actor: Actor, now: datetime, reason: str = "", key: IdempotencyKey | None = None
) -> Booking:
    """Cancel a booking and give its seats back.

    What is owed back hangs off ``booking_cancelled``: by the refund policy if the attendee cancels, in full if
    anybody else does.

    :raises NotYourBooking: the actor neither owns the booking nor runs its event.
    :raises EventHasStarted: attendees cancel before the start only.
    :raises InvalidTransition: the booking is already closed.
    """
    key = key or IdempotencyKey()
    made_before = key.find(Booking)
    if made_before is not None:
        return made_before
    event, booking = lock_booking(booking_id)
    terms = cancellation_terms(booking, actor, now)
    if terms.refusal:
        raise terms.refusal
    tickets = list(Ticket.objects.filter(booking=booking).order_by("pk"))
    booking.amount_due = terms.retained
    booking.cancelled_at = now
    booking.cancellation_reason = reason[:500]
    booking.move_to(
        Booking.Status.CANCELLED,
        actor=actor,
        at=now,
        note=reason,
        also=["amount_due", "cancelled_at", "cancellation_reason"],
    )
    move_all(tickets, Ticket.Status.CANCELLED, actor=actor, at=now)
    booking.written_tickets = tickets
    signals.booking_cancelled.send(sender=Booking, booking=booking, actor=actor, now=now)
    key.record(booking, status=200, now=now)
    release_seats(event.pk, seats_by_type(tickets))
    offer_freed_seats(event, now=now)
    return booking


def close_after_event_cancellation(*, booking_id: int, now: datetime) -> bool:
    """Cancel a booking whose event was cancelled, in full; return whether it was this call that did."""
    booking = Booking.objects.select_related("event").get(pk=booking_id)
    if not booking.is_active or booking.event.status != Event.Status.CANCELLED:
        return False
    try:
        cancel_booking(
            booking_id=booking_id, actor=System("event_cancelled"), now=now, reason="The event was cancelled."
        )
    except InvalidTransition:  # somebody else closed it while we waited for the lock
        return False
    return True


@unit_of_work
def expire_booking(*, booking_id: int, now: datetime) -> bool:
    """Close a booking whose hold has run out; return whether it was this call that did."""
    event, booking = lock_booking(booking_id)
    if booking.status != Booking.Status.PENDING or booking.expires_at is None or booking.expires_at > now:
        return False
    booking.amount_due = money.ZERO
    booking.move_to(Booking.Status.EXPIRED, actor=System("sweep_expired_holds"), at=now, also=["amount_due"])
    signals.booking_expired.send(sender=Booking, booking=booking, now=now)
    release_seats(event.pk, seats_by_type(Ticket.objects.filter(booking=booking)))
    offer_freed_seats(event, now=now)
    return True


def expire_overdue_holds(*, held: Q, now: datetime) -> int:
    """Close those of the bookings ``held`` (of an event, say) whose holds have run out; return how many."""
    overdue = Booking.objects.filter(held, status=Booking.Status.PENDING, expires_at__lte=now)
    ids = list(overdue.order_by("expires_at", "pk").values_list("pk", flat=True)[:100])
    return sum(expire_booking(booking_id=booking_id, now=now) for booking_id in ids)


def lock_booking(booking_id: int) -> tuple[Event, Booking]:
    """Lock a booking with its event, in that order, and return both as they stand."""
    event = lock_event(Booking.objects.values_list("event_id", flat=True).get(pk=booking_id))
    booking = Booking.objects.select_for_update(no_key=True).get(pk=booking_id)
    booking.event = event
    return event, booking


@dataclass(frozen=True)
class CancellationTerms:
    """What cancelling a booking does at one moment, if one person does it.

    ``retained`` is what is kept of ``paid``; the rest goes back. The same holds until ``until`` (None: for good). If
    there is a ``refusal``, nothing of it can be had, and it has no end.
    """

    refusal: DomainError | None
    by_attendee: bool
    paid: Decimal
    retained: Decimal
    until: datetime | None

    @property
    def refunded(self) -> Decimal:
        return self.paid - self.retained


def cancellation_terms(booking: Booking, actor: Actor, now: datetime) -> CancellationTerms:
    """Return what cancelling would do. The only definition: ``cancel_booking`` acts by it, the preview tells it."""
    event = booking.event
    by_attendee = not isinstance(actor, System) and not event.is_run_by(actor)
    refusal: DomainError | None = None
    if by_attendee and not is_person(actor, booking.user_id):
        refusal = NotYourBooking()
    elif by_attendee and now >= event.starts_at and booking.status != Booking.Status.PENDING:
        refusal = EventHasStarted("This event has started; ask the organizer.")
    elif not booking.may_move_to(Booking.Status.CANCELLED):
        refusal = booking.cannot_become(Booking.Status.CANCELLED)
    paid = booking.amount_due if booking.status == Booking.Status.CONFIRMED else money.ZERO
    kept = retained(booking, now) if by_attendee else money.ZERO
    depends = by_attendee and event.status != Event.Status.CANCELLED
    changes = [booking.free_cancellation_until, booking.refund_until, event.starts_at] if depends else []
    if booking.status == Booking.Status.PENDING:
        changes = [booking.expires_at]
    ahead = [moment for moment in changes if moment is not None and now < moment and refusal is None]
    return CancellationTerms(refusal, by_attendee, paid, kept, min(ahead, default=None))


def retained(booking: Booking, now: datetime) -> Decimal:
    """Return what the refund policy keeps of what was due for a booking when its attendee cancels now."""
    if booking.status != Booking.Status.CONFIRMED:
        return money.ZERO  # whatever arrives for it later goes back whole
    if booking.event.status == Event.Status.CANCELLED:
        return money.ZERO  # all goes back, also to those who are faster than the closing of their bookings
    if booking.free_cancellation_until and now < booking.free_cancellation_until:
        return money.ZERO  # the event was moved
    if booking.refund_policy == Event.RefundPolicy.NONE or now >= booking.refund_until:
        return booking.amount_due
    if booking.refund_policy == Event.RefundPolicy.FULL:
        return money.ZERO
    refund = money.rounded(booking.amount_due * booking.refund_percent / 100, booking.currency)
    return booking.amount_due - refund
