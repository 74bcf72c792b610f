"""Events and what belongs to them over HTTP."""

from events.views.covers import CoverViewSet
from events.views.events import EventViewSet
from events.views.sessions import ProgrammeViewSet, SessionViewSet
from events.views.ticket_types import TicketTypeViewSet

__all__ = ["CoverViewSet", "EventViewSet", "ProgrammeViewSet", "SessionViewSet", "TicketTypeViewSet"]
