"""Bookings, tickets, the waitlist and the door in the admin."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.common import BookedEventFilter, lines_of
from bookings.admin.door import ScanAdmin
from bookings.admin.tickets import TicketAdmin
from bookings.admin.waitlist import WaitlistAdmin

__all__ = ["BookedEventFilter", "BookingAdmin", "ScanAdmin", "TicketAdmin", "WaitlistAdmin", "lines_of"]
