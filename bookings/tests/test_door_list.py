"""The list for the door: everybody who is expected, at once, and then what changed."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from bookings.models import Booking, Ticket
from bookings.services import book_seats, cancel_booking, check_in_ticket, door_list, mark_no_show
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.tests.factories import a_booking, many_bookings
from events.models import Event, TicketType
from events.services import update_event
from events.tests.factories import NOW, START, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ask(event: Event, by: CustomUser | None = None, tag: str = "", **query: Any) -> Any:
    headers = {"If-None-Match": tag} if tag else {}
    return a_client_of(by or event.organizer).get(f"/api/events/{event.pk}/door/", query, headers=headers)


def listed(event: Event, **query: Any) -> list[int]:
    answer = ask(event, **query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["tickets"]]


def ticket_of(booking: Booking) -> Ticket:
    return Ticket.objects.get(booking=booking)


def test_tells_what_the_door_has_to_know() -> None:
    """BKG-6"""
    event = an_event()
    kind = TicketType.objects.get(event=event)
    user = a_user(first_name="Ada", last_name="Lovelace")
    seats = [TicketRequest(kind.pk, 1, "Grace Hopper", "grace@example.org"), TicketRequest(kind.pk)]
    requirements = {"dietary": "Vegetarian", "accessibility": "Wheelchair"}
    booking = book_seats(user=user, request=BookingRequest(event.pk, seats, requirements), now=NOW)
    first, second = Ticket.objects.filter(booking=booking).order_by("pk")
    check_in_ticket(ticket_id=first.pk, actor=event.organizer, now=NOW)

    body = ask(event).json()

    row = {"reference": booking.reference, "ticket_type": kind.pk, "note": "Vegetarian; Wheelchair"}
    assert body == {
        "event": event.pk,
        "changed_since": door_list.token_of(NOW - timedelta(minutes=1)),
        "next_after": None,
        "ticket_types": [{"id": kind.pk, "name": "Standard"}],
        "tickets": [
            row
            | {"id": first.pk, "code": first.code, "name": "Grace Hopper", "state": "checked_in"}
            | {"checked_in_at": "2027-03-01T12:00:00Z"},
            row
            | {"id": second.pk, "code": second.code, "name": "Ada Lovelace", "state": "valid", "checked_in_at": None},
        ],
    }


def test_says_in_one_word_who_may_come_in() -> None:
    event = an_event()
    by_state = {state: ticket_of(a_booking(event=event)) for state in door_list.DoorState.values}
    for state, status in {"unpaid": "pending", "expired": "expired", "no_show": "no_show"}.items():
        Booking.objects.filter(pk=by_state[state].booking_id).update(status=status, expires_at=NOW)
    check_in_ticket(ticket_id=by_state["checked_in"].pk, actor=event.organizer, now=NOW)
    cancel_booking(booking_id=by_state["cancelled"].booking_id, actor=event.organizer, now=NOW)

    whole, changes = ask(event).json(), ask(event, changed_since="0").json()

    told = {row["id"]: row["state"] for row in changes["tickets"]}
    assert told == {ticket.pk: state for state, ticket in by_state.items()}
    assert {row["state"] for row in whole["tickets"]} == {"valid", "checked_in", "no_show", "unpaid"}


def test_an_empty_mark_asks_for_the_whole_list() -> None:
    event = an_event()
    cancel_booking(booking_id=a_booking(event=event).pk, actor=event.organizer, now=NOW)
    ticket = ticket_of(a_booking(event=event))

    assert listed(event, changed_since="") == listed(event, changed_since=" ") == [ticket.pk]


def test_calls_somebody_who_was_invited_as_the_organizer_did() -> None:
    event = an_event()
    booking = a_booking(event=event, user=a_user(first_name="Ada", last_name="Lovelace"))
    Booking.objects.update(invited_as="The speaker's friend")
    Ticket.objects.update(attendee_name="")

    assert [row["name"] for row in ask(event).json()["tickets"]] == ["The speaker's friend"]
    assert listed(event, search="lovelace") == []
    assert listed(event, search="friend") == [ticket_of(booking).pk]


def test_is_searched_and_filtered() -> None:
    event = an_event(ticket_types=[{"name": "Hall"}, {"name": "Balcony"}])
    kinds = list(TicketType.objects.in_order().filter(event=event))
    request = BookingRequest(event.pk, [TicketRequest(kinds[1].pk, attendee_name="Grace Hopper")])
    grace = ticket_of(book_seats(user=a_user(), request=request, now=NOW))
    other = ticket_of(a_booking(event=event))

    assert listed(event) == [grace.pk, other.pk]
    assert listed(event, search="hopper") == listed(event, ticket_type=kinds[1].pk) == [grace.pk]
    assert listed(event, search=other.code) == listed(event, search=other.booking.reference) == [other.pk]


def test_tells_what_changed_since() -> None:
    """Whatever moves a ticket or its booking; what changed shortly before may be told once more."""
    event = an_event()
    many_bookings(event, 10)
    tickets = list(Ticket.objects.select_related("booking").order_by("pk"))
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        token = ask(event).json()["changed_since"]
        unchanged = ask(event, changed_since=token).json()
    later = START + timedelta(minutes=1)
    check_in_ticket(ticket_id=tickets[0].pk, actor=event.organizer, now=later)
    cancel_booking(booking_id=tickets[1].booking_id, actor=event.organizer, now=later)
    mark_no_show(booking_id=tickets[2].booking_id, actor=event.organizer, now=later)
    newcomer = ticket_of(a_booking(event=event, now=NOW + timedelta(hours=2)))

    changes = ask(event, changed_since=token).json()
    after_that = ask(event, changed_since=changes["changed_since"]).json()

    # Within a minute of the latest change, all is told again: it may have been committed after it was read.
    assert len(unchanged["tickets"]) == 10
    states = {row["id"]: row["state"] for row in changes["tickets"]}
    assert {pk: states[pk] for pk in (*(ticket.pk for ticket in tickets[:3]), newcomer.pk)} == {
        tickets[0].pk: "checked_in",
        tickets[1].pk: "cancelled",
        tickets[2].pk: "no_show",
        newcomer.pk: "valid",
    }
    assert [row["id"] for row in after_that["tickets"]] == [ticket.pk for ticket in tickets[:3]]


def test_a_token_never_goes_back() -> None:
    """Nothing changed for long: the next question need not begin before this one."""
    event = an_event()
    a_booking(event=event)
    token = door_list.token_of(NOW + timedelta(days=2))

    body = ask(event, changed_since=token).json()

    assert (body["tickets"], body["changed_since"]) == ([], token)


@pytest.mark.parametrize(("seconds", "told"), [(0, 1), (1, 0)])
def test_tells_all_from_the_very_moment(seconds: int, told: int) -> None:
    event = an_event()
    a_booking(event=event)

    assert len(listed(event, changed_since=door_list.token_of(NOW + timedelta(seconds=seconds)))) == told


def test_is_not_sent_again_while_it_holds() -> None:
    """API-4"""
    event = an_event()
    ticket = ticket_of(a_booking(event=event))
    first = ask(event)

    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        same = ask(event, tag=first["ETag"])
    check_in_ticket(ticket_id=ticket.pk, actor=event.organizer, now=NOW)
    other = ask(event, tag=first["ETag"])

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert (other.status_code, other["ETag"] != first["ETag"]) == (200, True)


def test_is_walked_where_there_are_more_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_list, "TICKETS_AT_ONCE", 4)
    event = an_event()
    many_bookings(event, 10)
    walked: list[list[int]] = []
    after: dict[str, Any] = {}

    for _ in range(3):
        body = ask(event, **after).json()
        walked.append([row["id"] for row in body["tickets"]])
        after = {"after": body["next_after"]}

    assert [len(part) for part in walked] == [4, 4, 2]
    assert [pk for part in walked for pk in part] == list(Ticket.objects.order_by("pk").values_list("pk", flat=True))
    assert body["next_after"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"changed_since": "yesterday"}, "changed_since"),
        ({"changed_since": "1" * 17}, "changed_since"),
        ({"changed_since": "-1"}, "changed_since"),
        ({"after": "0"}, "after"),
        ({"page": "2"}, "page"),
        ({"status": "valid"}, "status"),
    ],
)
def test_refuses_what_it_does_not_know(query: dict[str, Any], field: str) -> None:
    answer = ask(an_event(), **query)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_is_for_those_who_run_the_event() -> None:
    booking = a_booking()

    assert ask(booking.event, by=booking.user).json()["code"] == "permission_denied"
    assert ask(booking.event, by=an_organizer()).json()["code"] == "not_owner"


def test_changes_with_the_event() -> None:
    event = an_event()
    first = ask(event)

    update_event(event_id=event.pk, changes={"title": "Elsewhere"}, actor=event.organizer, now=NOW)

    assert ask(event, tag=first["ETag"]).status_code == 200
