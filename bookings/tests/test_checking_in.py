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
    assert body["detail"] == "Ada Lovelace was let in at 13:00:00 on Mon 1 March 2027 (Europe/Berlin) by Grace Hopper."
    assert body["tickets"] == [
        {
            "id": ticket.pk,
            "code": ticket.code,
            "ticket_type": ticket.ticket_type_id,
            "holder_name": "Ada Lovelace",
            "booking": ticket.booking_id,
            "booking_reference": ticket.booking.reference,
            "status": "checked_in",
            "checked_in_at": "2027-03-01T12:00:00Z",
            "checked_in_by": {"id": admin.pk, "name": "Grace Hopper"},
        }
    ]
    assert state() == before


def refused(event: Event, code: str, by: CustomUser | None = None, **body: Any) -> str:
    """Return the code of a refusal, after looking that it changed nothing."""
    before = state()
    answer = scan(event, code, by=by, **body)
    assert answer.status_code == 409, answer.content
    assert state() == before
    found: str = answer.json()["code"]
    return found


def test_refuses_a_ticket_that_is_not_paid() -> None:
    """RELIABILITY C9: a free one never is."""
    ticket = a_ticket(price=5)

    assert refused(ticket.booking.event, ticket.code) == "ticket_unpaid"
    Booking.objects.update(status="expired")
    assert refused(ticket.booking.event, ticket.code) == "ticket_expired"
    assert refused(ticket.booking.event, ticket.booking.reference) == "ticket_expired"


def test_refuses_a_cancelled_ticket() -> None:
    ticket = a_ticket()
    cancel_booking(booking_id=ticket.booking_id, actor=ticket.booking.user, now=NOW)

    assert refused(ticket.booking.event, ticket.code) == "ticket_cancelled"
    assert refused(ticket.booking.event, ticket.booking.reference) == "ticket_cancelled"


def test_refuses_everybody_once_the_event_is_cancelled() -> None:
    ticket = a_ticket()
    event = ticket.booking.event
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    assert refused(event, ticket.code) == "event_cancelled"


@pytest.mark.parametrize("code", ["0" * 20, "0000-0000", "https://example.org/?q=ticket", "x" * 500, "ﬁ"])
def test_refuses_what_is_no_ticket(code: str) -> None:
    assert refused(an_event(), code) == "unknown_ticket"


def test_names_the_right_event_of_ones_own_and_no_others() -> None:
    """BKG-6, RELIABILITY H2"""
    organizer = an_organizer()
    here = an_event(organizer=organizer, title="Here")
    there = a_ticket(organizer=organizer, title="There")
    foreign = a_ticket(title="Somebody else's")

    answer = scan(here, there.code).json()

    assert (answer["code"], answer["detail"], answer["tickets"]) == ("wrong_event", "This ticket is for “There”.", [])
    assert refused(here, there.booking.reference) == "wrong_event"
    assert refused(here, foreign.code) == refused(here, foreign.booking.reference) == "unknown_ticket"
    assert refused(here, foreign.code, by=an_admin()) == "wrong_event"


def test_of_several_tickets_of_a_booking_asks_which() -> None:
    booking = a_booking(seats=3)
    event = booking.event
    first, second, third = Ticket.objects.filter(booking=booking).order_by("pk")

    several = scan(event, booking.reference)
    scan(event, first.code)
    still = scan(event, booking.reference)
    scan(event, second.code)
    last = scan(event, booking.reference)
    nobody_left = scan(event, booking.reference)

    assert (several.status_code, several.json()["code"]) == (409, "several_tickets")
    assert [found["id"] for found in several.json()["tickets"]] == [first.pk, second.pk, third.pk]
    assert [found["id"] for found in still.json()["tickets"]] == [second.pk, third.pk]
    assert (last.status_code, last.json()["id"]) == (200, third.pk)
    assert nobody_left.json()["code"] == "already_checked_in"
    assert [found["id"] for found in nobody_left.json()["tickets"]] == [first.pk, second.pk, third.pk]


def test_lets_in_whoever_comes_after_all() -> None:
    """BKG-2: no_show -> confirmed."""
    ticket = a_ticket()
    Booking.objects.update(status="no_show")

    answer = scan(ticket.booking.event, ticket.code)

    assert (answer.json()["booking_status"], answer.json()["status"]) == ("confirmed", "checked_in")
    moves = StatusChange.objects.filter(subject_type="bookings.booking", from_status="no_show")
    assert [(move.subject_id, move.to_status) for move in moves] == [(ticket.booking_id, "confirmed")]


@pytest.mark.parametrize("status", ["published", "ongoing", "completed"])
def test_works_before_during_and_after_the_event(status: str) -> None:
    ticket = a_ticket()
    Event.objects.update(status=status)

    assert scan(ticket.booking.event, ticket.code).status_code == 200


def test_answers_a_scan_that_is_sent_again_as_the_first_time() -> None:
    """BKG-6"""
    ticket = a_ticket()
    event = ticket.booking.event

    first = scan(event, ticket.code, scan_id="a-1")
    once_in = state()
    again = scan(event, ticket.code.lower(), scan_id="a-1")
    other = scan(event, ticket.code, scan_id="a-2")
    other_again = scan(event, ticket.code, scan_id="a-2")

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert once_in[:3] == state()[:3]
    assert other.status_code == other_again.status_code == 409
    assert [(row.scan_id, row.outcome) for row in Scan.objects.order_by("pk")] == [
        ("a-1", "checked_in"),
        ("a-2", "already_checked_in"),
    ]


def test_keeps_the_answer_to_a_scan_whatever_became_of_the_ticket() -> None:
    """A new scan is a new question."""
    ticket = a_ticket(price=5)
    event = ticket.booking.event
    unpaid = scan(event, ticket.code, scan_id="a-1")
    Booking.objects.update(status="confirmed", expires_at=None)

    again = scan(event, ticket.code, scan_id="a-1")
    anew = scan(event, ticket.code, scan_id="a-2")

    assert unpaid.json()["code"] == again.json()["code"] == "ticket_unpaid"
    assert anew.status_code == 200


def test_refuses_the_id_of_another_scan() -> None:
    event = an_event()
    first, second = a_ticket(event=event), a_ticket(event=event)
    scan(event, first.code, scan_id="a-1")

    assert refused(event, second.code, scan_id="a-1") == "scan_id_reused"
    assert scan(an_event(organizer=event.organizer), second.code, scan_id="a-1").json()["code"] == "wrong_event"


def test_takes_the_time_of_the_device() -> None:
    ticket = a_ticket()

    answer = scan(ticket.booking.event, ticket.code, scan_id="a", scanned_at="2027-03-01T12:58:00+01:00")

    assert answer.json()["checked_in_at"] == "2027-03-01T11:58:00Z"


@pytest.mark.parametrize(
    ("seconds", "status", "kept"), [(-1, 200, -1), (0, 200, 0), (300, 200, 0), (301, 400, None), (-301, 400, None)]
)
def test_allows_for_a_clock_that_is_somewhat_wrong(seconds: int, status: int, kept: int | None) -> None:
    """The event was made at NOW, too."""
    ticket = a_ticket()
    moment = NOW + timedelta(seconds=seconds)

    answer = scan(ticket.booking.event, ticket.code, scan_id="a", scanned_at=moment.isoformat())

    ticket.refresh_from_db()
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "impossible_time"
    assert ticket.checked_in_at == (None if kept is None else NOW + timedelta(seconds=kept))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "code"),
        ({"code": ""}, "code"),
        ({"code": "x" * 501}, "code"),
        ({"code": "x", "scan_id": "a b"}, "scan_id"),
        ({"code": "x", "scan_id": "x" * 65}, "scan_id"),
        ({"code": "x", "scanned_at": "2027-03-01T12:00:00"}, "scanned_at"),
    ],
)
def test_names_what_is_malformed(body: dict[str, Any], field: str) -> None:
    event = an_event()

    answer = a_client_of(event.organizer).post(f"/api/events/{event.pk}/check_in/", body, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_is_for_those_who_run_the_event() -> None:
    ticket = a_ticket()
    event = ticket.booking.event
    before = state()

    assert scan(event, ticket.code, by=ticket.booking.user).json()["code"] == "permission_denied"
    assert scan(event, ticket.code, by=an_organizer()).json()["code"] == "not_owner"
    assert state() == before


def test_costs_few_statements(django_assert_num_queries: Any) -> None:
    """Who asks, the event, the ticket with its booking, its new state, its history; with a scan's id two more."""
    event = an_event()
    first, second = a_ticket(event=event), a_ticket(event=event)
    client = a_client_of(event.organizer)

    with django_assert_num_queries(5 + 2):  # and the transaction's own savepoint of the test
        client.post(f"/api/events/{event.pk}/check_in/", {"code": first.code}, format="json")
    with django_assert_num_queries(7 + 2):
        client.post(f"/api/events/{event.pk}/check_in/", {"code": second.code, "scan_id": "1"}, format="json")
