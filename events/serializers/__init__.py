"""The shape of events and what belongs to them in the API."""

from events.serializers.availability import AvailabilitySerializer
from events.serializers.events import (
    DuplicateSerializer,
    EventCreateSerializer,
    EventSerializer,
    EventWriteSerializer,
    ReasonSerializer,
    default_attendance_rule,
)
from events.serializers.sessions import SessionCreateSerializer, SessionSerializer, SessionWriteSerializer
from events.serializers.ticket_types import TicketTypeCreateSerializer, TicketTypeSerializer, TicketTypeWriteSerializer

__all__ = [
    "AvailabilitySerializer",
    "DuplicateSerializer",
    "EventCreateSerializer",
    "EventSerializer",
    "EventWriteSerializer",
    "ReasonSerializer",
    "SessionCreateSerializer",
    "SessionSerializer",
    "SessionWriteSerializer",
    "TicketTypeCreateSerializer",
    "TicketTypeSerializer",
    "TicketTypeWriteSerializer",
    "default_attendance_rule",
]
