"""Check-in by what was scanned: once, only where the ticket is good, and saying who and when if it was used."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.models import Booking, Scan, Ticket
from bookings.services import cancel_booking, has_attended
from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StatusChange
from events.models import Event
from events.services import cancel_event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def scan(event: Event, code: str, by: CustomUser | None = None, **body: Any) -> Any:
    client = a_client_of(by or event.organizer)
    return client.post(f"/api/events/{event.pk}/check_in/", {"code": code, **body}, format="json")


def a_ticket(**values: Any) -> Ticket:
    return Ticket.objects.select_related("booking__event__organizer").get(booking=a_booking(**values))


def state() -> list[Any]:
    """Return all that a check-in could change."""
    rows = [model.objects.order_by("pk").values() for model in (Booking, Ticket, StatusChange, Scan)]
    return [list(found) for found in rows]


def test_lets_in_with_the_code_of_a_ticket() -> None:
    """BKG-6"""
    ticket = a_ticket(user=a_user(first_name="Ada", last_name="Lovelace"))
    event, booking = ticket.booking.event, ticket.booking

    answer = scan(event, ticket.code)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": ticket.pk,
        "code": ticket.code,
        "event": event.pk,
        "booking": booking.pk,
        "booking_reference": booking.reference,
        "booking_status": "confirmed",
        "ticket_type": ticket.ticket_type_id,
        "ticket_type_name": "Standard",
        "attendee_name": "Ada Lovelace",
        "attendee_email": ticket.attendee_email,
        "holder_name": "Ada Lovelace",
        "price": "0.00",
        "currency": "EUR",
        "status": "checked_in",
        "checked_in_at": "2027-03-01T12:00:00Z",
        "checked_in_by": {"id": event.organizer_id, "name": event.organizer.display_name},
        "special_requirements": {"dietary": "", "accessibility": "", "other": ""},
    }
    move = StatusChange.objects.get(subject_type="bookings.ticket", subject_id=ticket.pk)
    assert (move.from_status, move.to_status, move.actor, move.at) == (
        "valid", "checked_in", f"user:{event.organizer_id}", NOW,
    )  # fmt: skip
    assert has_attended(ticket)


@pytest.mark.parametrize(
    "written", ["{code}", "  {code}\n", "{lower}", "{reference}", "{bare}", "{lower_reference}", "{misread}"]
)
def test_reads_what_people_type(written: str) -> None:
    ticket = a_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(code="0123456789ABCDEFGHJK")
    Booking.objects.filter(pk=ticket.booking_id).update(reference="70K1-9QXW")
    typed = written.format(
        code="0123456789ABCDEFGHJK",
        lower="0123456789abcdefghjk",
        reference="70K1-9QXW",
        bare="70K19QXW",
        lower_reference=" 70k1-9qxw ",
        misread="7OKI-9QXW",
    )

    answer = scan(ticket.booking.event, typed)

    assert (answer.status_code, answer.json()["id"]) == (200, ticket.pk)


def test_says_who_and_when_if_the_ticket_was_used() -> None:
    """BKG-6"""
    ticket = a_ticket(user=a_user(first_name="Ada", last_name="Lovelace"))
    event = ticket.booking.event
    admin = an_admin(first_name="Grace", last_name="Hopper")
    scan(event, ticket.code, by=admin)
    before = state()

    answer = scan(event, ticket.code)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "already_checked_in")
    assert body["detail"] == "Ada Lovelace was let in at 2027-03-01T12:00:00Z by Grace Hopper."
    assert body["tickets"] == [
        {
            "id": ticket.pk,
            "code": ticket.code,
            "ticket_type": ticket.ticket_type_id,
            "holder_name": "Ada Lovelace",
            "booking_reference": ticket.booking.reference,
            "status": "checked_in",
            "checked_in_at": "2027-03-01T12:00:00Z",
            "checked_in_by": {"id": admin.pk, "name": "Grace Hopper"},
        }
    ]
    assert state() == before
