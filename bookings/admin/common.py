"""What several pages of bookings in the admin share."""

from typing import Any

from django.utils.html import format_html_join

from events.admin import EventListFilter


def lines_of(kept: dict[str, Any]) -> str:
    """Return what a JSON column holds, one named line each, for reading."""
    given = [(name.replace("_", " "), value) for name, value in kept.items() if value]
    return format_html_join("", "<div>{}: {}</div>", given) or "-"


class BookedEventFilter(EventListFilter):
    path = "booking__event"
