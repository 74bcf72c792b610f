"""The choices that front ends can ask ``/api/meta/`` for."""

from bookings.models import Booking, Ticket, Waitlist

CHOICES = {"booking.status": Booking.Status, "ticket.status": Ticket.Status, "waitlist.status": Waitlist.Status}
