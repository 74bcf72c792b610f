"""Events and what belongs to them over HTTP."""

from events.views.calendars import EventCalendarViewSet, OrganizerCalendarViewSet
from events.views.covers import CoverViewSet
from events.views.events import EventViewSet
from events.views.sessions import ProgrammeViewSet, SessionViewSet
from events.views.ticket_types import TicketTypeViewSet

__all__ = [
    "CoverViewSet",
    "EventCalendarViewSet",
    "EventViewSet",
    "OrganizerCalendarViewSet",
    "ProgrammeViewSet",
    "SessionViewSet",
    "TicketTypeViewSet",
]
