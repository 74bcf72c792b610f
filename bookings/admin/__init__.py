"""Bookings, tickets, the waitlist and the door in the admin."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.common import BookedEventFilter, lines_of
from bookings.admin.tickets import TicketAdmin

__all__ = ["BookedEventFilter", "BookingAdmin", "TicketAdmin", "lines_of"]
