"""Changing what is said on a booking, without changing what was booked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bookings.models import Booking, Ticket
from bookings.services.closing import NotYourBooking
from eventhub_config.shared.actors import Actor, is_person
from eventhub_config.shared.errors import DomainError, InvalidInput, NotVisible
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event
from events.services.editing import EventHasStarted


class BookingIsClosed(DomainError):
    code = "booking_is_closed"
    title = "A cancelled or expired booking cannot be changed."


ATTENDEE_COLUMNS = ("attendee_name", "attendee_email")


@unit_of_work
def change_booking(
    *,
    booking_id: int,
    actor: Actor,
    now: datetime,
    special_requirements: Mapping[str, str] | None = None,
    billing: Mapping[str, str] | None = None,
    tickets: Sequence[Mapping[str, Any]] = (),
) -> Booking:
    """Change attendees, requirements and billing; what is not named stays as it is. Invoices stay as they were issued.

    ``tickets`` are the booking's own, by ``id``, each with what is to be changed.

    :raises NotVisible: there is no such booking.
    :raises NotYourBooking: the actor neither made it nor is an administrator.
    :raises BookingIsClosed: it is cancelled or expired.
    :raises EventHasStarted: from then on everything stays.
    :raises InvalidInput: a ticket is not one of this booking.
    """
    # The booking and its tickets, nothing after them: whoever holds a booking may not want its event.
    booking = Booking.objects.select_for_update(no_key=True).filter(pk=booking_id).first()
    if booking is None:
        raise NotVisible
    if not is_person(actor, booking.user_id) and not getattr(actor, "is_platform_admin", False):
        raise NotYourBooking
    if not booking.is_active:
        raise BookingIsClosed
    booking.event = Event.objects.get(pk=booking.event_id)
    if now >= booking.event.starts_at:
        raise EventHasStarted
    _change_tickets(booking, tickets)
    booking.special_requirements |= special_requirements or {}
    booking.billing |= billing or {}
    booking.save(update_fields=["special_requirements", "billing"])
    return booking


def _change_tickets(booking: Booking, changes: Sequence[Mapping[str, Any]]) -> None:
    if not changes:
        return
    own = {ticket.pk: ticket for ticket in Ticket.objects.select_for_update(no_key=True).filter(booking=booking)}
    for index, change in enumerate(changes):
        ticket = own.get(change["id"])
        if ticket is None:
            raise InvalidInput.unknown(f"tickets.{index}.id")
        columns = [column for column in ATTENDEE_COLUMNS if column in change]
        for column in columns:
            setattr(ticket, column, change[column])
        if columns:
            ticket.save(update_fields=columns)
    booking.written_tickets = [own[pk] for pk in sorted(own)]
