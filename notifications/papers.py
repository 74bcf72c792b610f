"""What a mail brings along: tickets and a calendar entry as they are when it is sent, invoices as they were issued."""

import logging
from collections.abc import Callable
from email.mime.base import MIMEBase
from email.mime.text import MIMEText

from django.core.mail import EmailMultiAlternatives

from bookings.models import Booking
from bookings.services.paper import calendar_of_booking, own_entry, pdf_of, read_for_paper
from eventhub_config.shared.documents.serving import PDF
from eventhub_config.shared.errors import DomainError
from notifications.messages import CALENDAR, INVOICE, KINDS, TICKETS
from notifications.models import Notification
from payments.models import Invoice
from payments.services.invoice_papers import file_of

logger = logging.getLogger(__name__)


def attach_papers(mail: EmailMultiAlternatives, notification: Notification) -> None:
    """Attach what belongs to a message. Whatever cannot be made is left out: the news is worth more than its papers.

    An invoice is the news itself: its mail waits until there is one.
    """
    wanted = KINDS[notification.kind].papers
    if INVOICE in wanted:
        _attach_invoice(mail, notification)
        return
    booking = read_for_paper(notification.data.get("booking", 0)) if wanted else None
    if booking is None:
        return
    for paper in wanted:
        try:
            _ATTACH[paper](mail, booking)
        except DomainError:  # cancelled since, say
            continue
        except Exception as error:  # noqa: BLE001  (whatever it is, the mail must go out)
            # Not what it says: that may hold the names on a ticket.
            logger.warning("Message %s goes out without %s: %s", notification.pk, paper, type(error).__name__)


def _attach_invoice(mail: EmailMultiAlternatives, notification: Notification) -> None:
    file = file_of(Invoice.objects.get(pk=notification.data["invoice"]))
    mail.attach(file.name, file.content, file.media_type)


def _attach_tickets(mail: EmailMultiAlternatives, booking: Booking) -> None:
    mail.attach(f"tickets-{booking.reference}.pdf", pdf_of(booking), PDF)


def _attach_calendar(mail: EmailMultiAlternatives, booking: Booking) -> None:
    if booking.confirmed_at is None:
        return  # it never was in anybody's calendar
    file = calendar_of_booking(booking)
    part: MIMEBase = MIMEText(file.content.decode(), "calendar", "utf-8")
    part.set_param("method", own_entry(booking).method)
    part.add_header("Content-Disposition", "attachment", filename=file.name)
    mail.attach(part)


_ATTACH: dict[str, Callable[[EmailMultiAlternatives, Booking], None]] = {
    TICKETS: _attach_tickets,
    CALENDAR: _attach_calendar,
}
