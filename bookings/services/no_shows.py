"""People who did not come: set by those who run the event, one by one or by closing its doors, never by the clock."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from bookings.models import Booking, Ticket
from bookings.services.door import event_at_door
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError, InvalidTransition
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.shared.transitions import move_all
from events.availability import EventIsCancelled, NotPublished
from events.models import Event
from events.services.editing import require_owner
from users.models import CustomUser

BOOKINGS_AT_ONCE = 500


class EventNotStarted(DomainError):
    code = "event_not_started"
    title = "This event has not started: everybody may still come."


class EventNotOver(DomainError):
    code = "event_not_over"
    title = "The doors are closed when the event is over."


class SomebodyCame(DomainError):
    code = "somebody_came"
    title = "Somebody of this booking was checked in. Take that back first."


class AttendanceByConfirmation(DomainError):
    code = "attendance_by_confirmation"
    title = "This event counts everybody as attending who has a confirmed booking. Name those who did not come."


@unit_of_work
def mark_no_show(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Note that nobody of a booking came.

    :raises NotOwner: somebody else runs its event.
    :raises EventIsCancelled: there was nothing to come to.
    :raises EventNotStarted: everybody may still come.
    :raises SomebodyCame: a ticket of it was checked in.
    :raises InvalidTransition: the booking is not confirmed.
    """
    booking = _locked_booking(booking_id)
    event = booking.event
    require_owner(event, actor)
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if now < event.starts_at:
        raise EventNotStarted
    if Ticket.objects.filter(booking=booking, status=Ticket.Status.CHECKED_IN).exists():
        raise SomebodyCame
    booking.move_to(Booking.Status.NO_SHOW, actor=actor, at=now)
    return booking


@unit_of_work
def undo_no_show(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Take it back that nobody of a booking came.

    :raises NotOwner: somebody else runs its event.
    :raises InvalidTransition: the booking is no no-show.
    """
    booking = _locked_booking(booking_id)
    require_owner(booking.event, actor)
    if booking.status != Booking.Status.NO_SHOW:  # a pending one may become confirmed too, but not by this
        raise InvalidTransition(f"This booking is {booking.status}; nobody said that they did not come.")
    booking.move_to(Booking.Status.CONFIRMED, actor=actor, at=now)
    return booking


def close_doors(*, event_id: int, actor: CustomUser, now: datetime) -> int:
    """Make no-shows of all confirmed bookings of which nobody came; return how many.

    Some at a time, each in a transaction of its own: broken off, it goes on where it ended when it is asked again.

    :raises NotVisible: there is no such event for the actor.
    :raises NotOwner: somebody else runs it.
    :raises NotPublished: it is a draft.
    :raises EventIsCancelled: there was nothing to come to.
    :raises EventNotOver: everybody may still come.
    :raises AttendanceByConfirmation: under its rule, who was not checked in may have attended all the same.
    """
    event = event_at_door(event_id, actor)
    if event.status == Event.Status.DRAFT:
        raise NotPublished
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if now < event.ends_at:
        raise EventNotOver
    if event.attendance_rule == Event.AttendanceRule.CONFIRMED:
        raise AttendanceByConfirmation
    closed, last = 0, 0
    while found := _close_some(event_id=event.pk, after=last, actor=actor, now=now):
        last, count = found
        closed += count
    return closed


@unit_of_work
def _close_some(*, event_id: int, after: int, actor: CustomUser, now: datetime) -> tuple[int, int] | None:
    """Close the next bookings; return the last one's id and how many became no-shows, or None at the end."""
    came = Ticket.objects.filter(status=Ticket.Status.CHECKED_IN)
    confirmed = Booking.objects.filter(event_id=event_id, status=Booking.Status.CONFIRMED, pk__gt=after)
    nobody_came = confirmed.exclude(Exists(came.filter(booking=OuterRef("pk")))).order_by("pk")
    bookings = list(nobody_came.select_for_update(no_key=True, of=("self",))[:BOOKINGS_AT_ONCE])
    if not bookings:
        return None
    # Once more, now that they are locked: somebody may have come while we waited.
    late = _of_which_somebody_came(bookings)
    absent = [booking for booking in bookings if booking.pk not in late]
    move_all(absent, Booking.Status.NO_SHOW, actor=actor, at=now, note="The doors were closed.")
    return bookings[-1].pk, len(absent)


def _of_which_somebody_came(bookings: list[Booking]) -> set[int]:
    came = Ticket.objects.filter(booking__in=bookings, status=Ticket.Status.CHECKED_IN)
    return set(came.values_list("booking_id", flat=True))


def _locked_booking(booking_id: int) -> Booking:
    return Booking.objects.select_for_update(no_key=True, of=("self",)).select_related("event").get(pk=booking_id)
