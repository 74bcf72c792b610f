"""What several pages of bookings in the admin share."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join

from eventhub_config.shared.actors import actor_label
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.scoped_admin import ScopedAdmin, is_administrator
from events.admin import EventListFilter


def lines_of(kept: dict[str, Any]) -> str:
    """Return what a JSON column holds, one named line each, for reading."""
    given = [(name.replace("_", " "), value) for name, value in kept.items() if value]
    return format_html_join("", "<div>{}: {}</div>", given) or "-"


class GuestsByInvitedName(ScopedAdmin):
    """Pages of bookings and tickets: in their history, too, organizers see only what they called somebody."""

    def names_in_history(self, request: HttpRequest, changes: list[StatusChange]) -> list[str]:
        names = super().names_in_history(request, changes)
        row = self.model._base_manager.filter(pk=changes[0].subject_id).first() if changes else None
        booking = getattr(row, "booking", row)
        if booking is None or not booking.invited_as or is_administrator(request):
            return names
        guest = actor_label(booking.user)
        by = zip(changes, names, strict=True)
        return [booking.holder_name if change.actor == guest else name for change, name in by]


class BookedEventFilter(EventListFilter):
    path = "booking__event"
