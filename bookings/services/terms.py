"""The terms of a booking in plain words."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bookings.models import Booking
from bookings.services.closing import CancellationTerms
from events.models import Event


def policy_text(booking: Booking, terms: CancellationTerms) -> str:
    """Return what cancelling gives back, and until when, for whoever would cancel."""
    if not terms.by_attendee:
        return "Whoever runs the event gives everything back that was paid."
    if booking.status in {Booking.Status.CANCELLED, Booking.Status.EXPIRED}:
        return "This booking is closed already."
    if booking.status == Booking.Status.PENDING:
        return "Nothing has been paid yet. Whatever still arrives goes back."
    if booking.amount_due == 0:
        return "Nothing was paid, so nothing goes back."
    if booking.event.status == Event.Status.CANCELLED:
        return "The event was cancelled: everything goes back."
    until = _by_the_clock(booking.refund_until, booking.event)
    words = {
        Event.RefundPolicy.FULL: f"Everything goes back until {until}, nothing after that.",
        Event.RefundPolicy.PARTIAL: f"{booking.refund_percent} % go back until {until}, nothing after that.",
        Event.RefundPolicy.NONE: "Nothing goes back.",
    }
    said = words[Event.RefundPolicy(booking.refund_policy)]
    if booking.free_cancellation_until:
        moved = _by_the_clock(booking.free_cancellation_until, booking.event)
        return f"The event was moved: everything goes back until {moved}. {said}"
    return said


def _by_the_clock(moment: datetime, event: Event) -> str:
    """Return a moment such as ``Mon 1 March 2027, 18:00 (Europe/Berlin)``."""
    local = moment.astimezone(ZoneInfo(event.timezone))
    return f"{local:%a} {local.day} {local:%B %Y}, {local:%H:%M} ({event.timezone})"
