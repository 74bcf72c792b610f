"""The shape of events and what belongs to them in the API."""

from events.serializers.availability import AvailabilitySerializer
from events.serializers.events import (
    EventCreateSerializer,
    EventSerializer,
    EventWriteSerializer,
    ReasonSerializer,
    default_attendance_rule,
)
from events.serializers.ticket_types import TicketTypeCreateSerializer, TicketTypeSerializer, TicketTypeWriteSerializer

__all__ = [
    "AvailabilitySerializer",
    "EventCreateSerializer",
    "EventSerializer",
    "EventWriteSerializer",
    "ReasonSerializer",
    "TicketTypeCreateSerializer",
    "TicketTypeSerializer",
    "TicketTypeWriteSerializer",
    "default_attendance_rule",
]
