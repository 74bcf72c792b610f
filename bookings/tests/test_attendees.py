"""Attendees of an event, for those who run it: who comes, by ticket."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import book_seats
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.tests.factories import a_booking, many_bookings
from events.models import Event, TicketType
from events.tests.factories import NOW, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ask(event: Event, by: CustomUser | None = None, **query: Any) -> Any:
    client = APIClient()
    client.force_authenticate(by or event.organizer)
    return client.get(f"/api/events/{event.pk}/attendees/", query)


def found(event: Event, **query: Any) -> list[str]:
    """Return the names of the attendees, in the order of the list."""
    return [attendee["attendee_name"] for attendee in ask(event, **query).json()["results"]]


def a_ticket_of(name: str, event: Event, *, email: str = "", user: CustomUser | None = None, kind: int = 0) -> Ticket:
    types = TicketType.objects.in_order().filter(event=event)
    request = BookingRequest(event.pk, [TicketRequest(types[kind].pk, attendee_name=name, attendee_email=email)])
    return Ticket.objects.get(booking=book_seats(user=user or a_user(), request=request, now=NOW))


def test_names_each_ticket_with_its_holder() -> None:
    """EVT-7"""
    event = an_event(price=5)
    user = a_user(first_name="Ada", last_name="Lovelace", email="ada@example.org")
    kind = TicketType.objects.get(event=event)
    request = BookingRequest(
        event.pk,
        [TicketRequest(kind.pk, 1, "Grace Hopper", "grace@example.org"), TicketRequest(kind.pk)],
        special_requirements={"dietary": "Vegetarian"},
    )
    booking = book_seats(user=user, request=request, now=NOW)
    first, second = Ticket.objects.filter(booking=booking).order_by("pk")

    body = ask(event).json()

    of_booking = {
        "id": booking.pk,
        "reference": booking.reference,
        "status": "pending",
        "user": {"id": user.pk, "name": "Ada Lovelace"},
        "special_requirements": {"dietary": "Vegetarian", "accessibility": "", "other": ""},
        "created_at": "2027-03-01T12:00:00Z",
    }
    alike = {"ticket_type": kind.pk, "status": "valid", "checked_in_at": None, "booking": of_booking}
    assert (body["count"], body["next"]) == (2, None)
    assert body["results"] == [
        {"id": first.pk, "code": first.code, "attendee_name": "Grace Hopper", "attendee_email": "grace@example.org"}
        | alike,
        # None was given for this seat: whoever booked it can be reached.
        {"id": second.pk, "code": second.code, "attendee_name": "", "attendee_email": "ada@example.org"} | alike,
    ]


@pytest.mark.parametrize(
    ("who", "of_public", "of_draft"),
    [
        ("organizer", (200, None), (200, None)),
        ("admin", (200, None), (200, None)),
        ("attendee", (403, "permission_denied"), (403, "permission_denied")),
        ("other organizer", (403, "not_owner"), (404, "not_found")),
    ],
)
def test_are_for_those_who_run_the_event(who: str, of_public: tuple[int, str], of_draft: tuple[int, str]) -> None:
    organizer = an_organizer()
    event, draft = a_booking(event=an_event(organizer=organizer)).event, a_draft(organizer=organizer)
    people = {"organizer": organizer, "admin": an_admin(), "attendee": a_user(), "other organizer": an_organizer()}

    for asked, told in ((event, of_public), (draft, of_draft)):
        answer = ask(asked, people[who])
        assert (answer.status_code, answer.json().get("code")) == told


def test_closed_bookings_are_left_out_unless_asked_for() -> None:
    event = an_event()
    for status in Booking.Status.values:
        ticket = a_ticket_of(status, event)
        Booking.objects.filter(pk=ticket.booking_id).update(status=status, expires_at=NOW)

    assert found(event) == ["pending", "confirmed", "no_show"]
    for status in Booking.Status.values:
        assert found(event, booking_status=status) == [status]


def test_others_events_are_left_out() -> None:
    event = an_event()
    a_ticket_of("Mine", event)
    a_ticket_of("Theirs", an_event(organizer=event.organizer))

    assert found(event) == ["Mine"]


def test_filters_by_ticket_and_type() -> None:
    event = an_event(ticket_types=[{"name": "A"}, {"name": "B", "price": Decimal(3)}])
    kinds = TicketType.objects.in_order().filter(event=event)
    a_ticket_of("Here", event)
    Ticket.objects.update(status="checked_in", checked_in_at=NOW)
    a_ticket_of("Not yet", event, kind=1)

    assert found(event, checked_in="true") == found(event, status="checked_in") == ["Here"]
    assert found(event, checked_in="false") == found(event, status="valid") == ["Not yet"]
    assert found(event, ticket_type=kinds[1].pk) == ["Not yet"]
    assert found(event, ticket_type=TicketType.objects.get(event=an_event()).pk) == []


def test_search_finds_by_all_that_is_shown_and_by_nothing_else() -> None:
    event = an_event()
    booker = a_user(first_name="Bela", last_name="Bartok", username="nickname", email="bela@hidden.example")
    named = a_ticket_of("Clara Schumann", event, email="clara@example.org", user=booker)
    a_ticket_of("Robert Schumann", event, email="", user=a_user(email="robert@shown.example"))

    for words in ("clara", "SCHUMANN clara", "clara@example", named.code.lower(), named.booking.reference, "bartok"):
        assert found(event, search=words) == ["Clara Schumann"], words
    assert found(event, search="schumann") == ["Clara Schumann", "Robert Schumann"]
    assert found(event, search="robert@shown") == ["Robert Schumann"]
    # Neither the address of an account whose ticket has another, nor a user name beside a full one.
    for words in ("hidden.example", "nickname", "clara robert", named.code[:6]):
        assert found(event, search=words) == [], words


def test_orders_by_what_the_list_allows() -> None:
    event = an_event()
    for name, minutes in (("B", 3), ("C", 1), ("A", 2)):
        ticket = a_ticket_of(name, event)
        moment = NOW + timedelta(minutes=minutes)
        Booking.objects.filter(pk=ticket.booking_id).update(created_at=moment)
        Ticket.objects.filter(pk=ticket.pk).update(checked_in_at=moment)

    assert found(event) == ["B", "C", "A"]
    assert found(event, ordering="attendee_name") == ["A", "B", "C"]
    assert found(event, ordering="-attendee_name") == ["C", "B", "A"]
    assert found(event, ordering="booked_at") == found(event, ordering="checked_in_at") == ["C", "A", "B"]


def test_who_was_not_checked_in_comes_last_either_way() -> None:
    event = an_event()
    for name, minutes in (("Nobody", None), ("First", 1), ("Second", 2)):
        moment = None if minutes is None else NOW + timedelta(minutes=minutes)
        Ticket.objects.filter(pk=a_ticket_of(name, event).pk).update(checked_in_at=moment)

    assert found(event, ordering="checked_in_at") == ["First", "Second", "Nobody"]
    assert found(event, ordering="-checked_in_at") == ["Second", "First", "Nobody"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"ordering": "code"}, "ordering"),
        ({"status": "gone"}, "status"),
        ({"booking_status": "active"}, "booking_status"),
        ({"checked_in": "yes"}, "checked_in"),
        ({"user": "1"}, "user"),
    ],
)
def test_refuses_what_the_list_does_not_have(query: dict[str, Any], field: str) -> None:
    answer = ask(an_event(), **query)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_pages_and_cursors_walk_all_of_them_once() -> None:
    event = an_event()
    many_bookings(event, 45, seats=2)

    by_page = [name for page in (1, 2, 3) for name in found(event, page=page, page_size=40)]
    by_cursor, cursor = [], ""
    while cursor is not None:
        body = ask(event, cursor=cursor, page_size=40).json()
        by_cursor += [attendee["attendee_name"] for attendee in body["results"]]
        cursor = body["next"] and body["next"].rpartition("cursor=")[2].partition("&")[0]

    assert by_page == by_cursor == [ticket.attendee_name for ticket in Ticket.objects.order_by("pk")]
    assert len(by_page) == 90


def test_cost_as_many_statements_for_many_as_for_few(django_assert_num_queries: Any) -> None:
    """Who asks, the event, its tickets with their people; and a count where there are more than one page."""
    event = an_event()
    client = a_client_of(event.organizer)
    many_bookings(event, 20)

    with django_assert_num_queries(3):
        client.get(f"/api/events/{event.pk}/attendees/")
    many_bookings(event, 100, seats=2)
    with django_assert_num_queries(4):
        client.get(f"/api/events/{event.pk}/attendees/?page_size=100")


def test_are_found_by_indexes() -> None:
    """As many tickets beside those of other events as there are on a large installation beside 10,000 of one event."""
    event = an_event()
    many_bookings(event, 100, seats=3)
    for _ in range(10):
        many_bookings(an_event(), 100, seats=20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = a_client_of(event.organizer)

    for query in ("", "?cursor=", "?search=guest+17", "?ordering=-attendee_name&page=15", "?booking_status=cancelled"):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/events/{event.pk}/attendees/{query}").status_code == 200
        for statement in captured.captured_queries[2:]:
            plan = plan_of(statement["sql"])
            assert re.search("bookings_tickets_by_event|bookings_by_event", plan), f"{query}\n{plan}"
            assert not re.search("Seq Scan on bookings|SCAN bookings", plan), f"{query}\n{plan}"


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
