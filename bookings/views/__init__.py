"""Bookings, tickets, the waitlist and the door over HTTP."""

from bookings.views.booked_events import BookedEventViewSet
from bookings.views.bookings import BookingViewSet

__all__ = ["BookedEventViewSet", "BookingViewSet"]
