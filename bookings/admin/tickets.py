"""Tickets in the admin."""

from django.contrib import admin

from bookings.admin.common import BookedEventFilter
from bookings.admin.paper import TicketPaperActions
from bookings.models import Booking, Ticket
from eventhub_config.shared import money


@admin.register(Ticket)
class TicketAdmin(TicketPaperActions):
    organizer_path = "booking__event__organizer"
    list_display = ("code", "attendee_name", "attendee_email", "kind", "booking", "status", "checked_in_at")
    list_filter = ("status", BookedEventFilter)
    list_select_related = ("booking", "ticket_type")
    ordering = ("-pk",)
    search_fields = ("=code", "attendee_name", "attendee_email", "=booking__reference")
    search_help_text = "By code, the attendee's name or e-mail address, or the booking's reference."
    fields = ("code", "status", "booking", "kind", "attendee_name", "attendee_email", "price_text", "checked_in_at")
    readonly_fields = ("code", "kind", "price_text")
    actions = (*TicketPaperActions.paper_actions,)

    def row_actions_of(self, row: Ticket) -> dict[str, str]:
        return dict(self.paper_actions) if row.booking.status == Booking.Status.CONFIRMED else {}

    @admin.display(description="type")
    def kind(self, ticket: Ticket) -> str:
        return ticket.ticket_type.name

    @admin.display(description="price")
    def price_text(self, ticket: Ticket) -> str:
        return f"{money.as_text(ticket.price, ticket.booking.currency)} {ticket.booking.currency}"
