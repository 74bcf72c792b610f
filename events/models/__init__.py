"""Events, what happens at them, what can be bought for them, and how they are found."""

from events.models.events import Event, EventQuerySet, EventSlug, on_view, validate_currency
from events.models.search import EventSearch, SearchWord
from events.models.sessions import Session
from events.models.ticket_types import TicketType

__all__ = [
    "Event",
    "EventQuerySet",
    "EventSearch",
    "EventSlug",
    "SearchWord",
    "Session",
    "TicketType",
    "on_view",
    "validate_currency",
]
