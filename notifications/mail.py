"""Messages as e-mails: the words of the row, what the occasion is about as it stands now, and a link."""

from datetime import datetime
from email.utils import parseaddr
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from bookings.models import Booking, Waitlist
from events.models import Event
from notifications.messages import KINDS
from notifications.models import Notification
from notifications.papers import attach_papers
from notifications.texts import local_moment, local_span, place, single_line
from users import services as users
from users.services.links import MailedLink


class Fact(NamedTuple):
    name: str
    value: str


class LinkHasEnded(Exception):
    """The link that a message is about does not work any more."""


def compose(notification: Notification, now: datetime) -> EmailMultiAlternatives:
    """Return the e-mail of a message, with a text and an HTML body and its papers, ready to be sent.

    :raises LinkHasEnded: there is nothing left to send.
    """
    mailed = _mailed_link(notification, now)
    context = {
        "title": notification.title,
        "body": notification.body,
        "facts": [*_facts(notification.data), *(_valid_until(mailed, notification) if mailed else ())],
        "link": mailed.url if mailed else _link(notification),
        "link_text": KINDS[notification.kind].link,
        "home": settings.FRONTEND_URL,
        "is_stranger": notification.user is None,
    }
    mail = EmailMultiAlternatives(
        subject=single_line(notification.title),
        body=render_to_string("notifications/message.txt", context),
        to=[address_of(notification)],
        headers={
            "Message-ID": message_id(notification),
            "Auto-Submitted": "auto-generated",  # RFC 3834: keeps holiday replies away
        },
    )
    mail.attach_alternative(render_to_string("notifications/message.html", context), "text/html")
    attach_papers(mail, notification)
    return mail


def address_of(notification: Notification) -> str:
    """Return where a message goes, or nothing if that is unknown."""
    return notification.send_to or (notification.user.email if notification.user else "")


def message_id(notification: Notification) -> str:
    """Return the same id for every attempt at one row, so that a mailbox shows a mail sent twice once."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    moment = int(notification.created_at.timestamp())
    return f"<notification.{notification.pk}.{moment}@{address.rpartition('@')[2] or 'localhost'}>"


def _mailed_link(notification: Notification, now: datetime) -> MailedLink | None:
    """Return the link that a message about an account carries. It is made here, and stands nowhere but in the mail.

    :raises LinkHasEnded: and the message is about nothing else.
    """
    data = notification.data
    if "account_link" in data:
        mailed = users.mailed_link(link_id=data["account_link"], now=now)
    elif "pending_registration" in data:
        mailed = users.mailed_registration(pending_id=data["pending_registration"], now=now)
    else:
        return None
    if mailed is None and "booking" not in data:
        raise LinkHasEnded
    return mailed


def _valid_until(mailed: MailedLink, notification: Notification) -> list[Fact]:
    zone = notification.user.profile.timezone if notification.user else "UTC"
    return [Fact("Works until", local_moment(mailed.expires_at, zone))]


def _facts(data: dict[str, Any]) -> list[Fact]:
    if "booking" in data:
        booking = Booking.objects.select_related("event").filter(pk=data["booking"]).first()
        return _about(booking.event, booking.seats, booking.reference) if booking else []
    if "waitlist_entry" in data:
        entry = Waitlist.objects.select_related("event").filter(pk=data["waitlist_entry"]).first()
        return _about(entry.event, entry.seats) if entry else []
    return []


def _about(event: Event, seats: int, reference: str = "") -> list[Fact]:
    facts = [
        Fact("Event", single_line(event.title)),
        Fact("When", local_span(event)),
        Fact("Where", place(event)),
        Fact("Booking", reference),
        Fact("Seats", str(seats)),
    ]
    return [fact for fact in facts if fact.value]


def _link(notification: Notification) -> str:
    path = KINDS[notification.kind].path
    return settings.FRONTEND_URL + path.format_map(notification.data) if settings.FRONTEND_URL and path else ""
