"""Tickets as a resource: for their owners, and for those who run the event."""

from typing import Any

import pytest

from bookings.models import Booking, Ticket
from bookings.services import check_in_ticket, has_attended
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared.models import StatusChange
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ticket_of(booking: Booking) -> Ticket:
    return Ticket.objects.select_related("booking__event__organizer").get(booking=booking)


def found(by: CustomUser, **query: Any) -> list[int]:
    answer = a_client_of(by).get("/api/tickets/", query)
    assert answer.status_code == 200, answer.content
    return [ticket["id"] for ticket in answer.json()["results"]]


def ask(ticket: Ticket, action: str, by: CustomUser | None = None) -> Any:
    return a_client_of(by or ticket.booking.event.organizer).post(f"/api/tickets/{ticket.pk}/{action}/")


def test_are_seen_by_whoever_booked_and_by_those_who_run_the_event() -> None:
    event = an_event()
    ticket, other = ticket_of(a_booking(event=event)), ticket_of(a_booking())
    as_attendee = ticket_of(a_booking(user=event.organizer))

    assert found(ticket.booking.user) == [ticket.pk]
    assert found(event.organizer) == [as_attendee.pk, ticket.pk]
    assert found(an_admin()) == [as_attendee.pk, other.pk, ticket.pk]
    assert found(a_user()) == []
    assert a_client_of(a_user()).get(f"/api/tickets/{ticket.pk}/").status_code == 404


def test_are_found_by_event_booking_state_and_code() -> None:
    event = an_event()
    first, second = ticket_of(a_booking(event=event)), ticket_of(a_booking(event=event))
    elsewhere = ticket_of(a_booking(organizer=event.organizer))
    check_in_ticket(ticket_id=second.pk, actor=event.organizer, now=NOW)
    by = event.organizer

    assert found(by, event=event.pk) == [second.pk, first.pk]
    assert found(by, booking=elsewhere.booking_id) == [elsewhere.pk]
    assert found(by, status="checked_in") == [second.pk]
    assert found(by, code=first.code.lower()) == [first.pk]
    assert found(by, code=first.code[:-1]) == []


def test_tell_attendees_that_they_are_in_and_not_who_let_them_in() -> None:
    ticket = ticket_of(a_booking())
    check_in_ticket(ticket_id=ticket.pk, actor=ticket.booking.event.organizer, now=NOW)

    mine = a_client_of(ticket.booking.user).get(f"/api/tickets/{ticket.pk}/").json()
    theirs = a_client_of(ticket.booking.event.organizer).get(f"/api/tickets/{ticket.pk}/").json()

    assert (mine["status"], mine["checked_in_at"], mine["checked_in_by"]) == (
        "checked_in",
        "2027-03-01T12:00:00Z",
        None,
    )
    assert theirs["checked_in_by"]["id"] == ticket.booking.event.organizer_id


def test_a_ticket_is_checked_in_from_the_list_and_taken_back() -> None:
    """BKG-4, BKG-6"""
    ticket = ticket_of(a_booking())

    let_in = ask(ticket, "check_in")
    attended = has_attended(ticket)
    twice = ask(ticket, "check_in")
    taken_back = ask(ticket, "undo_check_in")

    assert (let_in.status_code, let_in.json()["status"], attended) == (200, "checked_in", True)
    assert (twice.status_code, twice.json()["code"], twice.json()["tickets"][0]["id"]) == (
        409, "already_checked_in", ticket.pk,
    )  # fmt: skip
    body = taken_back.json()
    assert (body["status"], body["checked_in_at"], body["checked_in_by"]) == ("valid", None, None)
    assert not has_attended(ticket)
    moves = StatusChange.objects.filter(subject_type="bookings.ticket", subject_id=ticket.pk).order_by("pk")
    assert [move.to_status for move in moves] == ["checked_in", "valid"]
    assert ask(ticket, "check_in").status_code == 200


def test_nothing_is_taken_back_where_nobody_is_in() -> None:
    ticket = ticket_of(a_booking())

    refused = ask(ticket, "undo_check_in")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_checked_in")
    assert not StatusChange.objects.filter(subject_type="bookings.ticket").exists()


def test_the_holder_cannot_let_themselves_in() -> None:
    ticket = ticket_of(a_booking(user=an_organizer()))

    assert ask(ticket, "check_in", by=ticket.booking.user).json()["code"] == "not_owner"
    assert ask(ticket, "check_in", by=an_organizer()).status_code == 404
    check_in_ticket(ticket_id=ticket.pk, actor=ticket.booking.event.organizer, now=NOW)
    assert ask(ticket, "undo_check_in", by=ticket.booking.user).json()["code"] == "not_owner"
    ticket.refresh_from_db()
    assert ticket.status == "checked_in"


def test_cost_as_many_statements_for_many_as_for_few(django_assert_num_queries: Any) -> None:
    event = an_event()
    many_bookings(event, 5)
    client = a_client_of(event.organizer)
    for ticket in Ticket.objects.all()[:3]:
        check_in_ticket(ticket_id=ticket.pk, actor=event.organizer, now=NOW)

    with django_assert_num_queries(2):
        client.get("/api/tickets/")
    many_bookings(event, 95)
    with django_assert_num_queries(2):
        assert len(client.get("/api/tickets/?page_size=100").json()["results"]) == 100
