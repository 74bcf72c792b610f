"""The shape of bookings, and of what belongs to them, in the API."""

from bookings.serializers.attendees import AttendeeSerializer
from bookings.serializers.bookings import (
    BillingSerializer,
    BookingCreateSerializer,
    BookingSerializer,
    CancelSerializer,
)
from bookings.serializers.complimentary import (
    GiftFileSerializer,
    GiftSerializer,
    GiftTextSerializer,
    ImportSerializer,
)
from bookings.serializers.desk import (
    BookingChangeSerializer,
    CancellationSerializer,
    ConfirmSerializer,
    cancellation_body,
)
from bookings.serializers.door import (
    CheckInSerializer,
    DoorListSerializer,
    DoorProblemSerializer,
    DoorsClosedSerializer,
    ScanOutcomesSerializer,
    ScansSerializer,
    outcomes_body,
)
from bookings.serializers.eligibility import EligibilitySerializer, eligibility_body
from bookings.serializers.ticket_details import TicketDetailSerializer
from bookings.serializers.tickets import TicketSerializer

__all__ = [
    "AttendeeSerializer",
    "BillingSerializer",
    "BookingChangeSerializer",
    "BookingCreateSerializer",
    "BookingSerializer",
    "CancelSerializer",
    "CancellationSerializer",
    "CheckInSerializer",
    "ConfirmSerializer",
    "DoorListSerializer",
    "DoorProblemSerializer",
    "DoorsClosedSerializer",
    "EligibilitySerializer",
    "GiftFileSerializer",
    "GiftSerializer",
    "GiftTextSerializer",
    "ImportSerializer",
    "ScanOutcomesSerializer",
    "ScansSerializer",
    "TicketDetailSerializer",
    "TicketSerializer",
    "cancellation_body",
    "eligibility_body",
    "outcomes_body",
]
