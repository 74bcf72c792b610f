"""Bookings, tickets, the waitlist and the door over HTTP."""

from bookings.views.booked_events import BookedEventViewSet
from bookings.views.bookings import BookingViewSet
from bookings.views.door import DoorViewSet
from bookings.views.tickets import TicketViewSet

__all__ = ["BookedEventViewSet", "BookingViewSet", "DoorViewSet", "TicketViewSet"]
