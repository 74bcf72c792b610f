"""Bookings for tests."""

from datetime import datetime
from typing import Any

from bookings.models import Booking
from bookings.services import book_seats
from bookings.services.booking import BookingRequest, TicketRequest
from events.models import Event, TicketType
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user


def a_booking(
    *, user: CustomUser | None = None, event: Event | None = None, seats: int = 1, now: datetime = NOW, **values: Any
) -> Booking:
    """Return a booking: confirmed on a free event (the default), pending on one with a price."""
    event = event or an_event(now=now, **values)
    kind = TicketType.objects.in_order().filter(event=event)[0]
    request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind.pk, quantity=seats)])
    return book_seats(user=user or a_user(), request=request, now=now)
