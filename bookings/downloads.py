"""Private files of bookings that a link can lead to."""

from datetime import datetime

from bookings.services.paper import ticket_on_paper, tickets_on_paper
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.download_links import Download
from users.models import CustomUser

TICKET, TICKETS = "ticket", "tickets"


def _ticket(ticket_id: int, user: CustomUser, now: datetime) -> PrivateFile:
    return ticket_on_paper(ticket_id=ticket_id, user=user)


def _tickets(booking_id: int, user: CustomUser, now: datetime) -> PrivateFile:
    return tickets_on_paper(booking_id=booking_id, user=user)


DOWNLOADS = (Download(TICKET, _ticket), Download(TICKETS, _tickets))
