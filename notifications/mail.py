"""Messages as e-mails: the words of the row, what the occasion is about as it stands now, and a link."""

from email.utils import parseaddr
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from bookings.models import Booking
from notifications.messages import KINDS
from notifications.models import Notification
from notifications.texts import local_span, place, single_line


class Fact(NamedTuple):
    name: str
    value: str


def compose(notification: Notification) -> EmailMultiAlternatives:
    """Return the e-mail of a message, with a text and an HTML body, ready to be sent."""
    context = {
        "title": notification.title,
        "body": notification.body,
        "facts": _facts(notification.data),
        "link": _link(notification),
        "link_text": KINDS[notification.kind].link,
        "home": settings.FRONTEND_URL,
    }
    mail = EmailMultiAlternatives(
        subject=single_line(notification.title),
        body=render_to_string("notifications/message.txt", context),
        to=[notification.user.email],
        headers={
            "Message-ID": message_id(notification),
            "Auto-Submitted": "auto-generated",  # RFC 3834: keeps holiday replies away
        },
    )
    mail.attach_alternative(render_to_string("notifications/message.html", context), "text/html")
    return mail


def message_id(notification: Notification) -> str:
    """Return the same id for every attempt at one row, so that a mailbox shows a mail sent twice once."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    moment = int(notification.created_at.timestamp())
    return f"<notification.{notification.pk}.{moment}@{address.rpartition('@')[2] or 'localhost'}>"


def _facts(data: dict[str, Any]) -> list[Fact]:
    booking = Booking.objects.select_related("event").filter(pk=data.get("booking", 0)).first()
    if booking is None:
        return []
    event = booking.event
    facts = [
        Fact("Event", single_line(event.title)),
        Fact("When", local_span(event)),
        Fact("Where", place(event)),
        Fact("Booking", booking.reference),
        Fact("Seats", str(booking.seats)),
    ]
    return [fact for fact in facts if fact.value]


def _link(notification: Notification) -> str:
    path = KINDS[notification.kind].path
    return settings.FRONTEND_URL + path.format_map(notification.data) if settings.FRONTEND_URL and path else ""
