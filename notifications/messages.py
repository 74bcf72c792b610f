"""Every kind of message: its type, its words, and where its link leads.

``title`` and ``body`` are filled in with ``str.format`` when the message is written, on the path of what caused it: no
template, no query. The e-mail is made of the same words later; see ``mail.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.models import Notification
from notifications.texts import single_line

Type = Notification.Type
TITLE_LENGTH = 200


@dataclass(frozen=True)
class Kind:
    """One kind of message. ``path`` is a page of the front end, filled in with the message's ``data``."""

    type: Notification.Type
    title: str
    body: str
    path: str = "/bookings/{booking}"
    link: str = "See your booking"


KINDS: Mapping[str, Kind] = {
    "user_registered": Kind(
        Type.CONFIRMATION,
        "Welcome to Event Hub",
        "Your account {username} is ready. Find an event and book your seat.",
        path="/events",
        link="Find an event",
    ),
    "booking_placed": Kind(
        Type.UPDATE,
        "Your seats are held: {event}",
        "We hold your seats for “{event}” under booking {reference}. Pay {amount} by {deadline} to confirm them.",
        link="Pay now",
    ),
    "booking_confirmed": Kind(
        Type.CONFIRMATION,
        "You are booked: {event}",
        "Your booking {reference} for “{event}” is confirmed. We look forward to seeing you.",
    ),
    "booking_cancelled": Kind(
        Type.UPDATE,
        "Booking cancelled: {event}",
        "Your booking {reference} for “{event}” is cancelled. {reason}",
    ),
    "booking_expired": Kind(
        Type.UPDATE,
        "Booking expired: {event}",
        "Your booking {reference} for “{event}” was not paid in time, so its seats were given free. "
        "If there are seats left, you can book again.",
    ),
    "payment_failed": Kind(
        Type.PAYMENT,
        "Payment failed: {event}",
        "Your payment of {amount} for “{event}” did not go through. "
        "While your booking {reference} is open, you can try again.",
        link="Try again",
    ),
    "refund_completed": Kind(
        Type.PAYMENT,
        "Refund of {amount}: {event}",
        "We have sent {amount} back to you for your booking {reference} of “{event}”. "
        "It can take some days until your bank shows it.",
    ),
    "invoice_issued": Kind(
        Type.PAYMENT,
        "{document} {number}: {event}",
        "{document} {number} over {amount} for your booking {reference} of “{event}” is ready.",
    ),
}


def words(kind: str, context: Mapping[str, str]) -> tuple[str, str]:
    """Return title and body of a message, each in one line: the title becomes the subject of an e-mail."""
    told = {name: single_line(value) for name, value in context.items()}
    title = KINDS[kind].title.format_map(told)
    if len(title) > TITLE_LENGTH:
        title = f"{title[: TITLE_LENGTH - 1]}…"
    return title, KINDS[kind].body.format_map(told).rstrip()
