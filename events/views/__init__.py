"""Events and what belongs to them over HTTP."""

from events.views.events import EventViewSet
from events.views.ticket_types import TicketTypeViewSet

__all__ = ["EventViewSet", "TicketTypeViewSet"]
