"""Tickets in the admin."""

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bookings import services
from bookings.admin.common import BookedEventFilter, GuestsByInvitedName
from bookings.admin.door import DoorPage
from bookings.admin.paper import TicketPaperActions
from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from users.authentication import signed_in


@admin.register(Ticket)
class TicketAdmin(DoorPage, TicketPaperActions, GuestsByInvitedName):
    organizer_path = "booking__event__organizer"
    list_display = ("code", "attendee_name", "attendee_email", "kind", "booking", "status", "checked_in_at")
    list_filter = ("status", BookedEventFilter)
    list_select_related = ("booking", "ticket_type")
    ordering = ("-pk",)
    search_fields = ("=code", "attendee_name", "attendee_email", "=booking__reference")
    search_help_text = "By code, the attendee's name or e-mail address, or the booking's reference."
    fields = (
        "code", "status", "booking", "kind", "attendee_name", "attendee_email", "price_text",
        "checked_in_at", "let_in_by",
    )  # fmt: skip
    readonly_fields = ("code", "kind", "price_text", "let_in_by")
    actions = ("check_in_selected", "undo_check_in_selected", *TicketPaperActions.paper_actions)

    def row_actions_of(self, row: Ticket) -> dict[str, str]:
        papers = self.paper_actions if row.booking.status == Booking.Status.CONFIRMED else {}
        return {**self._door_action(row), **papers}

    @staticmethod
    def _door_action(ticket: Ticket) -> dict[str, str]:
        if ticket.status == Ticket.Status.CHECKED_IN:
            return {"undo_check_in_selected": "Undo check-in"}
        may_enter = ticket.booking.status in {Booking.Status.CONFIRMED, Booking.Status.NO_SHOW}
        return {"check_in_selected": "Check in"} if may_enter and ticket.status == Ticket.Status.VALID else {}

    def has_door_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.action(description="Check in selected tickets", permissions=["door"])
    def check_in_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        def let_in(ticket: Ticket, now: datetime) -> None:
            services.check_in_ticket(ticket_id=ticket.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, let_in, "checked in")

    @admin.action(description="Undo check-in of selected tickets", permissions=["door"])
    def undo_check_in_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        def take_back(ticket: Ticket, now: datetime) -> None:
            services.undo_check_in(ticket_id=ticket.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, take_back, "not checked in any more")

    @admin.display(description="type")
    def kind(self, ticket: Ticket) -> str:
        return ticket.ticket_type.name

    @admin.display(description="price")
    def price_text(self, ticket: Ticket) -> str:
        return f"{money.as_text(ticket.price, ticket.booking.currency)} {ticket.booking.currency}"

    @admin.display(description="checked in by")
    def let_in_by(self, ticket: Ticket) -> str:
        return ticket.checked_in_by.display_name if ticket.checked_in_by else "-"
