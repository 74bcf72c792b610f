"""The shape of bookings, and of what belongs to them, in the API."""

from bookings.serializers.attendees import AttendeeSerializer
from bookings.serializers.bookings import (
    BillingSerializer,
    BookingCreateSerializer,
    BookingSerializer,
    CancelSerializer,
)
from bookings.serializers.eligibility import EligibilitySerializer, eligibility_body
from bookings.serializers.tickets import TicketSerializer

__all__ = [
    "AttendeeSerializer",
    "BillingSerializer",
    "BookingCreateSerializer",
    "BookingSerializer",
    "CancelSerializer",
    "EligibilitySerializer",
    "TicketSerializer",
    "eligibility_body",
]
