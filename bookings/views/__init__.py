"""Bookings, tickets, the waitlist and the door over HTTP."""

from bookings.views.attendee_files import AttendeeFileViewSet
from bookings.views.booked_events import BookedEventViewSet
from bookings.views.bookings import BookingViewSet
from bookings.views.complimentary import ComplimentaryViewSet
from bookings.views.door import DoorViewSet
from bookings.views.paper import BookingPaperViewSet, TicketPaperViewSet
from bookings.views.tickets import TicketViewSet
from bookings.views.waitlist import EventQueueViewSet, WaitlistViewSet

__all__ = [
    "AttendeeFileViewSet",
    "BookedEventViewSet",
    "BookingPaperViewSet",
    "BookingViewSet",
    "ComplimentaryViewSet",
    "DoorViewSet",
    "EventQueueViewSet",
    "TicketPaperViewSet",
    "TicketViewSet",
    "WaitlistViewSet",
]
