"""The door in the admin: a page to let people in by their codes, and what was scanned."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from bookings import services
from bookings.models import Booking, Scan, Ticket
from bookings.services.door import AlreadyCheckedIn, ScanRequest, SeveralTickets
from eventhub_config.shared.admin_forms import explain
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import ScopedAdmin
from events.admin import EventAdmin, EventListFilter
from events.models import Event
from users.authentication import signed_in

PAGE = "bookings_ticket_door"


class CodeForm(forms.Form):
    required_css_class = "required"

    code = forms.CharField(
        max_length=500,
        label="Ticket code or booking reference",
        # A scanner at the keyboard types the code and presses return: the page is ready for the next one at once.
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "size": 40}),
    )


class DoorPage(ScopedAdmin):
    """Adds the page to the admin of tickets."""

    def get_urls(self) -> list[Any]:
        page = path("door/<int:event_id>/", self.admin_site.admin_view(self.door_view), name=PAGE)
        return [page, *super().get_urls()]

    def door_view(self, request: HttpRequest, event_id: int) -> HttpResponseBase:
        events = self.admin_site.get_model_admin(Event).get_queryset(request)
        event = events.filter(pk=event_id).first() if event_id < 2**63 else None
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, Event._meta, str(event_id))  # type: ignore[attr-defined]
        form = CodeForm(request.POST if "code" in request.POST else None)
        if request.method == "POST" and ("close" in request.POST or form.is_valid()):
            try:
                done = self._close(request, event) if "close" in request.POST else self._let_in(request, event, form)
                self.message_user(request, done, messages.SUCCESS)
            except DomainError as refusal:
                for said in _said(refusal, event):
                    self.message_user(request, said, messages.WARNING)
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "At the door",
            "event": event,
            "form": form,
            "counts": _counts(event),
            "is_over": timezone.now() >= event.ends_at,
        }
        return TemplateResponse(request, "admin/door.html", context)

    def _let_in(self, request: HttpRequest, event: Event, form: CodeForm) -> str:
        scan, now = ScanRequest(form.cleaned_data["code"]), timezone.now()
        ticket = services.check_in(event_id=event.pk, scan=scan, actor=signed_in(request), now=now)
        needs = "; ".join(value for value in ticket.booking.special_requirements.values() if value)
        return f"{ticket.holder_name} is in: {ticket.ticket_type.name}{f' ({needs})' if needs else ''}."

    def _close(self, request: HttpRequest, event: Event) -> str:
        closed = services.close_doors(event_id=event.pk, actor=signed_in(request), now=timezone.now())
        return f"The doors are closed. Bookings that became no-shows: {closed}."


def _said(refusal: DomainError, event: Event) -> list[str]:
    """Return a refusal in words, with the tickets that it is about."""
    if isinstance(refusal, AlreadyCheckedIn) and refusal.tickets:
        return [_who_is_in(ticket, event) for ticket in refusal.tickets]
    if isinstance(refusal, SeveralTickets):
        left = ", ".join(f"{ticket.holder_name} ({ticket.code})" for ticket in refusal.tickets)
        return [f"{explain(refusal)} {left}"]
    return [explain(refusal)]


def _who_is_in(ticket: Ticket, event: Event) -> str:
    """Return who was let in with a ticket, by whom, and when by the event's clock."""
    at = ticket.checked_in_at.astimezone(ZoneInfo(event.timezone)) if ticket.checked_in_at else None
    when = f" at {at:%H:%M} on {at:%Y-%m-%d}" if at else ""
    by = f" by {ticket.checked_in_by.display_name}" if ticket.checked_in_by else ""
    return f"{ticket.holder_name} is in already: let in{when}{by}."


def _counts(event: Event) -> dict[str, int]:
    """Return how many seats are expected, and how many people are in."""
    tickets = Ticket.objects.of_event(event.pk).filter(booking__event=event)
    coming = Q(booking__status__in=[Booking.Status.CONFIRMED, Booking.Status.NO_SHOW])
    return tickets.aggregate(
        expected=Count("pk", filter=coming),
        present=Count("pk", filter=Q(status=Ticket.Status.CHECKED_IN)),
        unpaid=Count("pk", filter=Q(booking__status=Booking.Status.PENDING)),
    )


def _link_to(label: str, model: str) -> Any:
    """Return what leads from an event's page to its rows of another model."""
    return lambda event: (label, f"{reverse(f'admin:bookings_{model}_changelist')}?event={event.pk}")


def door_link(event: Event) -> tuple[str, str] | None:
    """Return the link to the door of an event that has been published."""
    shut = event.status in {Event.Status.DRAFT, Event.Status.CANCELLED}
    return None if shut else ("At the door", reverse(f"admin:{PAGE}", args=[event.pk]))


EventAdmin.row_links += [_link_to("Bookings", "booking"), _link_to("Attendees", "ticket"), door_link]


@admin.register(Scan)
class ScanAdmin(ScopedAdmin):
    organizer_path = "event__organizer"
    list_display = ("scan_id", "event", "code", "outcome", "ticket", "scanned_at", "by_whom")
    list_filter = ("outcome", EventListFilter)
    list_select_related = ("event", "ticket", "by")
    ordering = ("-pk",)
    search_fields = ("=scan_id", "=code", "=ticket__code")
    search_help_text = "By the scan's id, or the code that was scanned."
    fields = ("scan_id", "event", "code", "outcome", "ticket", "scanned_at", "received_at", "by_whom")
    readonly_fields = ("by_whom",)

    @admin.display(description="by")
    def by_whom(self, scan: Scan) -> str:
        return scan.by.display_name
