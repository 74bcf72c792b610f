"""``check_integrity`` finds what is wrong at the door, and nothing where nothing is."""

from collections.abc import Callable

import pytest

from bookings.integrity import CHECKS
from bookings.models import Booking, Scan, Ticket
from bookings.services import cancel_booking, check_in
from bookings.services.door import ScanRequest
from bookings.tests.factories import a_booking
from events.tests.factories import NOW, an_event

pytestmark = pytest.mark.django_db


def found() -> dict[str, int]:
    """Return how much each check finds, where it finds anything."""
    counts = {check.name: len(list(check.findings())) for check in CHECKS}
    return {name: count for name, count in counts.items() if count}


def _in_at_no_time(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(checked_in_at=None)


def _in_and_not_in(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(status="valid")


def _in_and_absent(ticket: Ticket) -> None:
    Booking.objects.filter(pk=ticket.booking_id).update(status="no_show")


def _scanned_elsewhere(ticket: Ticket) -> None:
    Scan.objects.update(event=an_event())


def _let_in_without_a_ticket(ticket: Ticket) -> None:
    Scan.objects.update(ticket=None)


@pytest.mark.parametrize(
    ("corrupt", "check"),
    [
        (_in_at_no_time, "check_ins"),
        (_in_and_not_in, "check_ins"),
        (_in_and_absent, "no_shows"),
        (_scanned_elsewhere, "scans"),
        (_let_in_without_a_ticket, "scans"),
    ],
)
def test_finds(corrupt: Callable[[Ticket], None], check: str) -> None:
    """OPS-6"""
    event = an_event()
    ticket, cancelled = (Ticket.objects.get(booking=a_booking(event=event)) for _ in range(2))
    for number, code in enumerate([ticket.code, cancelled.code]):
        check_in(event_id=event.pk, scan=ScanRequest(code, f"{number}"), actor=event.organizer, now=NOW)
    cancel_booking(booking_id=cancelled.booking_id, actor=event.organizer, now=NOW)
    Scan.objects.filter(ticket=cancelled).delete()
    assert found() == {}

    corrupt(ticket)

    assert found() == {check: 1}
