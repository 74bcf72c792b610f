"""Bookings, their tickets, the waitlist, and what was scanned at the door."""

from bookings.models.bookings import Booking, BookingQuerySet
from bookings.models.scans import Scan
from bookings.models.tickets import ATTENDEE_NAME_MAX_LENGTH, Ticket, TicketQuerySet, seats_by_type
from bookings.models.visibility import own_or_run
from bookings.models.waitlist import Waitlist, WaitlistQuerySet

__all__ = [
    "ATTENDEE_NAME_MAX_LENGTH",
    "Booking",
    "BookingQuerySet",
    "Scan",
    "Ticket",
    "TicketQuerySet",
    "Waitlist",
    "WaitlistQuerySet",
    "own_or_run",
    "seats_by_type",
]
