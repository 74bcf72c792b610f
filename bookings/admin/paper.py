"""Tickets as PDF, and confirmations sent again, from the admin."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from bookings import services
from bookings.models import Booking, Ticket
from eventhub_config.shared.admin_forms import explain
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import ScopedAdmin
from users.authentication import signed_in


def answer_with_file(
    page: ScopedAdmin, request: HttpRequest, rows: QuerySet[Any], make: Callable[[int], PrivateFile]
) -> HttpResponseBase | None:
    """Answer an action on one row with its file; say why there is none."""
    chosen = list(rows.values_list("pk", flat=True)[:2])
    if len(chosen) != 1:
        page.message_user(request, "Choose one row: a file holds the tickets of one.", messages.WARNING)
        return None
    try:
        file = make(chosen[0])
    except DomainError as refusal:
        page.message_user(request, explain(refusal), messages.WARNING)
        return None
    return HttpResponse(file.content, content_type=file.media_type, headers=file.headers())


class BookingPaperActions(ScopedAdmin):
    """What a page of bookings does with their papers."""

    paper_actions: ClassVar = {
        "tickets_as_pdf": "Tickets as PDF",
        "resend_confirmations": "Send confirmation again",
    }

    @admin.action(description="Tickets as PDF (of one booking)", permissions=["view"])
    def tickets_as_pdf(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponseBase | None:
        user = signed_in(request)
        return answer_with_file(self, request, queryset, lambda pk: services.tickets_on_paper(booking_id=pk, user=user))

    @admin.action(description="Send confirmations of selected bookings again", permissions=["view"])
    def resend_confirmations(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        def resend(booking: Booking, now: datetime) -> None:
            services.resend_confirmation(booking_id=booking.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, resend, "confirmed once more: the mail is on its way")


class TicketPaperActions(ScopedAdmin):
    """What a page of tickets does with their papers."""

    paper_actions: ClassVar = {"ticket_as_pdf": "Ticket as PDF"}

    @admin.action(description="Ticket as PDF (of one row)", permissions=["view"])
    def ticket_as_pdf(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponseBase | None:
        user = signed_in(request)
        return answer_with_file(self, request, queryset, lambda pk: services.ticket_on_paper(ticket_id=pk, user=user))
