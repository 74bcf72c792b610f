"""Bookings in the admin: looked at and cancelled, never edited, never deleted."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from bookings import services
from bookings.admin.common import GuestsByInvitedName, lines_of
from bookings.admin.complimentary import ComplimentaryPage
from bookings.admin.paper import BookingPaperActions
from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ReasonForm, ScopedInline, is_administrator
from events.admin import EventListFilter
from users.authentication import signed_in


class TicketInline(ScopedInline):
    model = Ticket
    organizer_path = "booking__event__organizer"
    fields = ("code", "kind", "attendee_name", "attendee_email", "price_text", "status", "checked_in_at")
    readonly_fields = ("code", "kind", "price_text")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return super().get_queryset(request).select_related("ticket_type", "booking")

    @admin.display(description="type")
    def kind(self, ticket: Ticket) -> str:
        return ticket.ticket_type.name

    @admin.display(description="price")
    def price_text(self, ticket: Ticket) -> str:
        return money.as_text(ticket.price, ticket.booking.currency)


class WaivedFilter(admin.SimpleListFilter):
    title = "free of charge"
    parameter_name = "waived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("invited", "Complimentary"), ("by_hand", "Confirmed without a payment")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        if self.value() == "invited":
            return queryset.exclude(invited_as="")
        return queryset.exclude(waiver_reason="").filter(invited_as="") if self.value() == "by_hand" else queryset


class WaiverForm(forms.Form):
    reason = forms.CharField(
        max_length=255,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Why nothing is to be paid. Kept with the booking.",
    )


def _unless_invited(column: str) -> Case:
    return Case(When(invited_as="", then=F(column)), default=Value(""))


class MovedFilter(admin.SimpleListFilter):
    title = "event moved since"
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes, can be cancelled for nothing"), ("untold", "Yes, and not told yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        if self.value() == "untold":
            return queryset.filter(move_notice_owed_since__isnull=False)
        return queryset.filter(free_cancellation_until__isnull=False) if self.value() == "yes" else queryset


@admin.register(Booking)
class BookingAdmin(ComplimentaryPage, BookingPaperActions, GuestsByInvitedName):
    organizer_path = "event__organizer"
    inlines = (TicketInline,)
    list_display = ("reference", "event_title", "attendee", "status", "seats", "total", "made")
    list_filter = ("status", EventListFilter, WaivedFilter, MovedFilter, "created_at")
    list_select_related = ("event", "user")
    ordering = ("-pk",)
    search_fields = (
        "=reference", "invited_as", "account_email", "account_name", "event__title",
        "tickets__attendee_email", "tickets__attendee_name", "=tickets__code",
    )  # fmt: skip
    search_help_text = "By reference, ticket code, the attendee's name or e-mail address, or the event's title."
    actions = (
        "confirm_selected", "cancel_selected", "no_show_selected", "undo_no_show_selected",
        *BookingPaperActions.paper_actions,
    )  # fmt: skip
    row_actions = {"cancel_selected": "Cancel booking"}
    fieldsets = (
        (None, {"fields": ("reference", "status", "event", "attendee", "seats", "waiver_reason")}),
        ("Money", {"fields": ("total", "due", "tax_rate", "refund_policy", "refund_percent", "refund_until")}),
        (
            "The event was moved",
            {
                "fields": ("free_cancellation_until", "move_notice_owed_since"),
                "description": "Empty, unless it took another time or place after this was booked.",
            },
        ),
        ("From the attendee", {"fields": ("requirements", "billed_to")}),
        (
            "Dates (UTC)",
            {"fields": ("created_at", "expires_at", "confirmed_at", "cancelled_at", "cancellation_reason")},
        ),
    )
    readonly_fields = ("attendee", "total", "due", "requirements", "billed_to")

    @admin.display(description="event", ordering="event")
    def event_title(self, booking: Booking) -> str:
        return booking.event.title

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        rows = super().get_queryset(request)
        if is_administrator(request):
            return rows.alias(account_email=F("user__email"), account_name=F("user__username"))
        # Searched where it is shown only: whose account an invited address belongs to, organizers are not to find out.
        return rows.alias(account_email=_unless_invited("user__email"), account_name=_unless_invited("user__username"))

    @admin.display(
        description="attendee", ordering=Case(When(invited_as="", then=F("user__email")), default=F("invited_as"))
    )
    def attendee(self, booking: Booking) -> str:
        email = booking.holder_email
        return f"{booking.holder_name} <{email}>" if email else f"{booking.holder_name} (invited)"

    @admin.display(description="made on", ordering="created_at")
    def made(self, booking: Booking) -> str:
        return f"{booking.created_at:%Y-%m-%d}"

    @admin.display(description="price", ordering="total_amount")
    def total(self, booking: Booking) -> str:
        return f"{money.as_text(booking.total_amount, booking.currency)} {booking.currency}"

    @admin.display(description="due", ordering="amount_due")
    def due(self, booking: Booking) -> str:
        return f"{money.as_text(booking.amount_due, booking.currency)} {booking.currency}"

    @admin.display(description="special requirements")
    def requirements(self, booking: Booking) -> str:
        return lines_of(booking.special_requirements)

    @admin.display(description="billing")
    def billed_to(self, booking: Booking) -> str:
        return lines_of(booking.billing)

    def name_of(self, row: Booking) -> str:
        return f"{row.reference}: {self.attendee(row)}, {row.event.title}"

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def row_actions_of(self, row: Booking) -> dict[str, str]:
        papers = self.paper_actions if row.status == Booking.Status.CONFIRMED else {}
        confirm = {"confirm_selected": "Confirm without payment"} if row.status == Booking.Status.PENDING else {}
        cancel = self.row_actions if row.may_move_to(Booking.Status.CANCELLED) else {}
        return {**confirm, **cancel, **self._presence_action(row), **papers}

    @staticmethod
    def _presence_action(booking: Booking) -> dict[str, str]:
        if booking.status == Booking.Status.NO_SHOW:
            return {"undo_no_show_selected": "Came after all"}
        began = booking.status == Booking.Status.CONFIRMED and booking.event.starts_at <= timezone.now()
        return {"no_show_selected": "Did not come"} if began else {}

    def has_presence_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.action(description="Mark selected bookings as no-shows", permissions=["presence"])
    def no_show_selected(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        def mark(booking: Booking, now: datetime) -> None:
            services.mark_no_show(booking_id=booking.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, mark, "marked as no-shows")

    @admin.action(description="Take back that nobody of selected bookings came", permissions=["presence"])
    def undo_no_show_selected(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        def take_back(booking: Booking, now: datetime) -> None:
            services.undo_no_show(booking_id=booking.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, take_back, "confirmed again")

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.action(description="Confirm selected bookings without payment", permissions=["confirm"])
    def confirm_selected(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponseBase | None:
        form = WaiverForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            question = "Confirm these bookings without a payment? What is paid for them goes back."
            return self.ask(request, queryset, action="confirm_selected", question=question, form=form)

        def confirm(booking: Booking, now: datetime) -> None:
            reason = form.cleaned_data["reason"]
            services.confirm_by_hand(booking_id=booking.pk, reason=reason, actor=signed_in(request), now=now)

        self.do_each(request, queryset, confirm, "confirmed")
        return None

    @admin.action(description="Cancel selected bookings", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponseBase | None:
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            question = "Cancel these bookings? Their seats are free at once, and what was paid goes back in full."
            return self.ask(request, queryset, action="cancel_selected", question=question, form=form)

        def cancel(booking: Booking, now: datetime) -> None:
            reason = form.cleaned_data["reason"]
            services.cancel_booking(booking_id=booking.pk, actor=signed_in(request), now=now, reason=reason)

        self.do_each(request, queryset, cancel, "cancelled")
        return None
