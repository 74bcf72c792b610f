"""Tickets as PDF files, and bookings as calendar files: for whoever may see them, while there is something to show."""

import logging
from collections.abc import Sequence
from functools import lru_cache

from bookings.models import Booking, Ticket
from eventhub_config.shared.documents.serving import PDF, PrivateFile
from eventhub_config.shared.errors import DomainError, NotVisible
from eventhub_config.shared.images import files
from eventhub_config.shared.images.refusals import StorageUnavailable
from events.availability import EventIsCancelled
from events.models import Event
from events.services.calendars import Own, calendar_of
from users.models import CustomUser

logger = logging.getLogger(__name__)

CALENDAR = "text/calendar"


class NotConfirmed(DomainError):
    code = "not_confirmed"
    title = "Only a confirmed booking has this."


def tickets_on_paper(*, booking_id: int, user: CustomUser) -> PrivateFile:
    """Return all tickets of a booking as a PDF, one page each.

    :raises NotVisible: there is no such booking, or none that this user may know about.
    :raises NotConfirmed: the booking is not confirmed, or no longer.
    :raises EventIsCancelled: nobody needs a ticket any more.
    """
    booking = _readable(booking_id, user)
    return PrivateFile(f"tickets-{booking.reference}.pdf", PDF, pdf_of(booking))


def ticket_on_paper(*, ticket_id: int, user: CustomUser) -> PrivateFile:
    """Return one ticket as a PDF; refuses as ``tickets_on_paper`` does."""
    booking_id = Ticket.objects.filter(pk=ticket_id).values_list("booking_id", flat=True).first()
    if booking_id is None:
        raise NotVisible
    booking = _readable(booking_id, user)
    tickets = booking.tickets_in_order()
    (number,) = (number for number, ticket in enumerate(tickets, 1) if ticket.pk == ticket_id)
    name = f"ticket-{booking.reference}-{number}.pdf"
    return PrivateFile(name, PDF, pdf_of(booking, only=tickets[number - 1 : number]))


def pdf_of(booking: Booking, *, only: Sequence[Ticket] | None = None) -> bytes:
    """Return the tickets of a booking as a PDF; its event, organizer, person and tickets are read already.

    :raises NotConfirmed: see ``tickets_on_paper``.
    :raises EventIsCancelled: see ``tickets_on_paper``.
    """
    require_papers(booking)
    # The PDF library stays out of processes that make none.
    from bookings.ticket_pdf import tickets_pdf

    tickets = booking.tickets_in_order()
    return tickets_pdf(
        event=booking.event,
        booking=booking,
        tickets=only or tickets,
        all_tickets=tickets,
        cover=_cover(booking.event),
    )


def require_papers(booking: Booking) -> None:
    """Refuse what only a booking has that its tickets can be used for.

    :raises EventIsCancelled: nobody needs a ticket any more.
    :raises NotConfirmed: the booking is not confirmed, or no longer.
    """
    if booking.event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if booking.status == Booking.Status.PENDING:
        raise NotConfirmed("This booking is not paid yet.")
    if booking.status != Booking.Status.CONFIRMED:
        raise NotConfirmed


def calendar_of_booking(booking: Booking) -> PrivateFile:
    """Return a booked event as a calendar file, in which a booking that has ended is cancelled."""
    own = own_entry(booking)
    media_type = f"{CALENDAR}; charset=utf-8; method={own.method}"
    return PrivateFile(f"booking-{booking.reference}.ics", media_type, calendar_of(booking.event, own))


def own_entry(booking: Booking) -> Own:
    """Return what makes the entry of a booked event the booker's own."""
    state = "" if booking.status == Booking.Status.CONFIRMED else f" ({booking.get_status_display().lower()})"
    return Own(
        key=f"booking-{booking.pk}",
        note=f"Your booking: {booking.reference}{state}",
        is_cancelled=booking.status in {Booking.Status.CANCELLED, Booking.Status.EXPIRED},
        changed_at=booking.status_changed_at,
        is_pending=booking.status == Booking.Status.PENDING,
    )


def read_for_paper(booking_id: int) -> Booking | None:
    """Return a booking with everything that its papers tell."""
    rows = Booking.objects.select_related("event__organizer", "event__cover", "user")
    return rows.prefetch_related("tickets__ticket_type").filter(pk=booking_id).first()


def _readable(booking_id: int, user: CustomUser) -> Booking:
    visible = Booking.objects.visible_to(user).filter(pk=booking_id).exists()
    booking = read_for_paper(booking_id) if visible else None
    if booking is None:
        raise NotVisible
    return booking


def _cover(event: Event) -> bytes | None:
    """Return an event's picture; a ticket without it is better than none."""
    if event.cover is None:
        return None
    try:
        return _picture(event.cover.pk, "large" if event.cover.rendered_at else files.MASTER)
    except (OSError, StorageUnavailable) as error:
        logger.warning("Tickets of event %s are made without its picture: %r", event.pk, error)
        return None


@lru_cache(maxsize=8)  # a tenth of a second each, and everybody who books an event gets the same
def _picture(key: str, size: str) -> bytes:
    from eventhub_config.shared.documents.sheet import packed_picture

    with files.open_file(key, size) as file:
        return packed_picture(file)
