"""The attendees of an event as a file for spreadsheets."""

from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.fields import moment_text
from eventhub_config.shared.spreadsheets import CSV, csv_file
from events.models import Event

HEADER = (
    "code", "attendee_name", "attendee_email", "ticket_type", "price", "currency", "status", "checked_in_at",
    "booking", "booking_status", "booked_by", "booked_at", "dietary", "accessibility", "other", "waiver_reason",
)  # fmt: skip


def attendee_file(event: Event) -> PrivateFile:
    """Return everybody who has a ticket of an active booking, in the order of their tickets. One statement."""
    tickets = Ticket.objects.of_event(event.pk).filter(booking__event=event, booking__status__in=Booking.ACTIVE)
    tickets = tickets.select_related("booking__user", "ticket_type").order_by("pk")
    content = csv_file(HEADER, map(_row, tickets))
    return PrivateFile(f"attendees-{event.slug}.csv", f"{CSV}; charset=utf-8", content)


def _row(ticket: Ticket) -> list[str]:
    booking = ticket.booking
    needs = booking.special_requirements
    return [
        ticket.code,
        ticket.attendee_name,
        ticket.attendee_email or booking.holder_email,
        ticket.ticket_type.name,
        money.as_text(ticket.price, booking.currency),
        booking.currency,
        ticket.status,
        moment_text(ticket.checked_in_at) if ticket.checked_in_at else "",
        booking.reference,
        booking.status,
        booking.holder_name,
        moment_text(booking.created_at),
        *(str(needs.get(kind, "")) for kind in ("dietary", "accessibility", "other")),
        booking.waiver_reason,
    ]
