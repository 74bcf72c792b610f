"""The attendees of an event as a file: complete, in few statements, and harmless to spreadsheets."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, give_booking
from bookings.services.complimentary import Gift
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared.spreadsheets import harmless
from events.models import Event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def file_of(event: Event, user: CustomUser | None = None) -> Any:
    return a_client_of(user or event.organizer).get(f"/api/events/{event.pk}/attendees_csv/")


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def test_tells_each_ticket_of_an_active_booking() -> None:
    """EVT-7"""
    event = an_event(price="12.50")
    booking = a_booking(event=event, seats=2, user=a_user(first_name="Ada", email="ada@example.org"))
    gone = a_booking(event=event)
    cancel_booking(booking_id=gone.pk, actor=gone.user, now=NOW)
    Booking.objects.filter(pk=booking.pk).update(special_requirements={"dietary": "vegan"})

    answer = file_of(event)

    first, second = rows_of(answer)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="attendees-{event.slug}.csv"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert first == {
        "code": booking.tickets_in_order()[0].code,
        "attendee_name": "Ada",
        "attendee_email": "ada@example.org",
        "ticket_type": "Standard",
        "price": "12.50",
        "currency": "EUR",
        "status": "valid",
        "checked_in_at": "",
        "booking": booking.reference,
        "booking_status": "pending",
        "booked_by": "Ada",
        "booked_at": "2027-03-01T12:00:00Z",
        "dietary": "vegan",
        "accessibility": "",
        "other": "",
        "waiver_reason": "",
    }
    assert (second["attendee_name"], second["attendee_email"]) == ("", "ada@example.org")


def test_calls_those_who_were_invited_as_the_organizer_did() -> None:
    event, guest = an_event(), a_user(email="secret@example.org", first_name="Secret")
    gift = Gift(email=guest.email, name="Grete", reason="Press")
    give_booking(event_id=event.pk, gift=gift, actor=event.organizer, now=NOW)
    Ticket.objects.update(attendee_email="", attendee_name="")

    answer = file_of(event)

    assert (rows_of(answer)[0]["booked_by"], rows_of(answer)[0]["waiver_reason"]) == ("Grete", "Press")
    assert b"ecret" not in answer.content


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ('=HYPERLINK("http://x","Click")', '\'=HYPERLINK("http://x","Click")'),
        ("+49 30 1234", "'+49 30 1234"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1+1", "'=1+1"),
        ("harmless\n=1+1", "harmless =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("Anne-Marie = both", "Anne-Marie = both"),
        ("", ""),
    ],
)
def test_what_people_typed_is_never_a_formula(typed: str, written: str) -> None:
    """RELIABILITY I5"""
    assert harmless(typed) == written


def test_a_formula_in_a_name_is_disarmed_in_the_file() -> None:
    event = an_event()
    a_booking(event=event)
    Ticket.objects.update(attendee_name='=cmd|"/c calc"!A1')

    assert rows_of(file_of(event))[0]["attendee_name"] == '\'=cmd|"/c calc"!A1'


def test_a_front_end_on_another_host_can_read_its_name(settings: Any) -> None:
    """API-4"""
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    event = an_event()
    path = f"/api/events/{event.pk}/attendees_csv/"

    answer = a_client_of(event.organizer).get(path, headers={"Origin": "https://app.example.org"})

    assert answer["Content-Disposition"] == f'attachment; filename="attendees-{event.slug}.csv"'
    assert "Content-Disposition" in answer["Access-Control-Expose-Headers"].split(", ")


def test_only_for_those_who_run_the_event() -> None:
    event = an_event()

    assert [file_of(event, user).status_code for user in (a_user(), an_organizer(), an_admin())] == [403, 403, 200]


def test_more_attendees_cost_no_more_statements() -> None:
    event = an_event()
    client = a_client_of(event.organizer)
    counts = []
    for more in (5, 45):
        many_bookings(event, more)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/api/events/{event.pk}/attendees_csv/")
        counts.append(len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]))

    assert len(rows_of(answer)) == 50
    assert counts[0] == counts[1] <= 4
