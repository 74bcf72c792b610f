"""The waitlist in the admin: who waits, who is next, and who is taken out of the queue."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from bookings import services
from bookings.models import Waitlist
from eventhub_config.shared.scoped_admin import ScopedAdmin
from events.admin import EventAdmin, EventListFilter
from events.models import Event
from users.authentication import signed_in


@admin.register(Waitlist)
class WaitlistAdmin(ScopedAdmin):
    organizer_path = "event__organizer"
    list_display = ("id", "event_title", "kind", "person", "seats", "status", "joined", "until", "passed_over")
    list_filter = ("status", EventListFilter, "created_at")
    list_select_related = ("event", "ticket_type", "user")
    ordering = ("-pk",)
    search_fields = ("user__email", "user__username", "event__title")
    search_help_text = "By the person's name or e-mail address, or the event's title."
    actions = ("offer_next_of_selected", "remove_selected")
    row_actions = {"offer_next_of_selected": "Offer next", "remove_selected": "Remove from the queue"}
    fieldsets = (
        (None, {"fields": ("status", "event", "ticket_type", "person", "seats", "booking")}),
        (
            "Dates (UTC)",
            {"fields": ("created_at", "offered_at", "offer_expires_at", "passed_over_at", "blocked_since")},
        ),
    )
    readonly_fields = ("person",)

    @admin.display(description="event", ordering="event")
    def event_title(self, entry: Waitlist) -> str:
        return entry.event.title

    @admin.display(description="type")
    def kind(self, entry: Waitlist) -> str:
        return entry.ticket_type.name

    @admin.display(description="person", ordering="user__email")
    def person(self, entry: Waitlist) -> str:
        return f"{entry.user.display_name} <{entry.user.email}>"

    @admin.display(description="joined", ordering="created_at")
    def joined(self, entry: Waitlist) -> str:
        return f"{entry.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="offered until", ordering="offer_expires_at")
    def until(self, entry: Waitlist) -> str:
        return f"{entry.offer_expires_at:%Y-%m-%d %H:%M}" if entry.offer_expires_at else "-"

    @admin.display(description="passed over", boolean=True)
    def passed_over(self, entry: Waitlist) -> bool:
        return entry.passed_over_at is not None

    def name_of(self, row: Waitlist) -> str:
        return f"{self.person(row)}: {row.seats} of “{row.ticket_type.name}”, {row.event.title}"

    def has_serve_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def row_actions_of(self, row: Waitlist) -> dict[str, str]:
        if not row.is_active:
            return {}
        waits = row.status == Waitlist.Status.WAITING
        return {name: label for name, label in self.row_actions.items() if name != "offer_next_of_selected" or waits}

    @admin.action(description="Offer seats to the next in the queues of the selected entries", permissions=["serve"])
    def offer_next_of_selected(self, request: HttpRequest, queryset: Any) -> None:
        """One party for each queue, however many of its entries are chosen: who is next is the queue's to say."""
        first_of = {entry.ticket_type_id: entry.pk for entry in queryset.order_by("-pk")}

        def offer(entry: Waitlist, now: datetime) -> None:
            actor = signed_in(request)
            services.offer_next(event_id=entry.event_id, ticket_type=entry.ticket_type_id, actor=actor, now=now)

        self.do_each(request, queryset.filter(pk__in=first_of.values()), offer, "had their queue served")

    @admin.action(description="Remove selected people from the queue", permissions=["serve"])
    def remove_selected(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        if "confirmed" not in request.POST:
            question = "Remove these people from the queue? They are told, and what they were offered goes to the next."
            return self.ask(request, queryset, action="remove_selected", question=question)

        def remove(entry: Waitlist, now: datetime) -> None:
            services.leave_waitlist(entry_id=entry.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, remove, "removed")
        return None


def waitlist_link(event: Event) -> tuple[str, str] | None:
    if not event.published_at:
        return None
    return "Waitlist", f"{reverse('admin:bookings_waitlist_changelist')}?event={event.pk}&o=1"


EventAdmin.row_links.append(waitlist_link)
