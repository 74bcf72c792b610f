"""Who attended an event: what reviews, certificates and statistics rest on."""

from bookings.models import Booking, Ticket


def has_attended(whose: Ticket | Booking) -> bool:
    """Return whether the holder of a ticket attended its event; of a booking, whether anybody did.

    By the event's ``attendance_rule``: who was checked in, or, once the event is over, everybody with a confirmed
    booking (a no-show is not confirmed any more).
    """
    tickets = Ticket.objects.attended()
    if isinstance(whose, Ticket):
        return tickets.filter(pk=whose.pk).exists()
    return tickets.filter(booking=whose).exists()
