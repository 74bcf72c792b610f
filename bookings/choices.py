"""The choices that front ends can ask ``/api/meta/`` for."""

from bookings.models import Booking, Ticket

CHOICES = {"booking.status": Booking.Status, "ticket.status": Ticket.Status}
