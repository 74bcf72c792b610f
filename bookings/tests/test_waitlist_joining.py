"""Queueing for seats that cannot be booked: who may, for what, and what their place looks like."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, Waitlist
from bookings.services import book_seats, join_waitlist, leave_waitlist
from bookings.services.booking import AlreadyBooked, BookingRequest, TicketRequest, TooFewSeats, TooManySeats
from bookings.services.complimentary import Gift, give_booking
from bookings.services.waitlist import AlreadyWaiting, SeatsAvailable
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer
from eventhub_config.shared.errors import DomainError, InvalidInput
from events.availability import EventIsCancelled, RegistrationClosed, SalesEnded, SalesNotStarted, WaitlistOpen
from events.models import Event, TicketType
from events.services import cancel_event, update_ticket_type
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def join(user: CustomUser, **body: Any) -> Any:
    return a_client_of(user).post("/api/waitlist/", body, format="json")


def kind_of(event: Event, name: str = "Standard") -> TicketType:
    return TicketType.objects.get(event=event, name=name)


def refused(error: type[DomainError], event: Event, **values: Any) -> str:
    """Return what joining is refused with, having seen that nobody waits because of it."""
    counts = [*TicketType.objects.order_by("pk").values_list("waiting_count", flat=True)]
    with pytest.raises(error) as refusal:
        a_place(event, **values)
    assert [*TicketType.objects.order_by("pk").values_list("waiting_count", flat=True)] == counts
    return str(refusal.value)


def test_gives_a_place_with_its_position() -> None:
    """BKG-5"""
    event = a_full_event(capacity=2)
    a_place(event)
    user = a_user(first_name="Ada", last_name="Lovelace")

    response = join(user, event=event.pk, seats=2)

    entry = Waitlist.objects.get(user=user)
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/waitlist/{entry.pk}/"
    assert response.json() == {
        "id": entry.pk,
        "event": event.pk,
        "ticket_type": kind_of(event).pk,
        "user": user.pk,
        "name": "Ada Lovelace",
        "seats": 2,
        "status": "waiting",
        "position": 2,
        "passed_over_at": None,
        "offered_at": None,
        "offer_expires_at": None,
        "booking": None,
        "created_at": "2027-03-01T12:00:00Z",
    }
    assert kind_of(event).waiting_count == 2


def test_is_for_the_first_type_that_is_sold_out_unless_one_is_named() -> None:
    kinds = [{"name": "Free", "position": 0}, {"name": "Full", "quantity": 1}, {"name": "Full too", "quantity": 1}]
    event = an_event(ticket_types=kinds)
    full, full_too = kind_of(event, "Full"), kind_of(event, "Full too")
    for kind in (full, full_too):
        request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind.pk)])
        book_seats(user=a_user(), request=request, now=NOW)

    assert a_place(event).ticket_type_id == full.pk
    assert a_place(event, ticket_type=full_too.pk).ticket_type_id == full_too.pk


def test_is_refused_while_there_are_seats() -> None:
    event = a_full_event(capacity=2)
    a_free_seat(event)

    refused(SeatsAvailable, event)

    assert a_place(event, seats=2).seats == 2  # more than there are


def test_goes_to_the_end_of_a_queue_even_if_fewer_seats_would_fit() -> None:
    event = a_full_event(capacity=2)
    large = a_place(event, seats=2)
    a_free_seat(event)

    small = a_place(event)

    assert large.pk < small.pk
    assert [entry.status for entry in Waitlist.objects.order_by("pk")] == ["waiting", "waiting"]


def test_frees_what_is_overdue_first() -> None:
    event = an_event(capacity=2, price=5)
    a_booking(event=event)
    overdue = a_booking(event=event, now=NOW - timedelta(minutes=15))

    refused(SeatsAvailable, event)

    overdue.refresh_from_db()
    assert overdue.status == "expired"


def test_is_refused_to_those_who_have_booked() -> None:
    event = a_full_event()

    refused(AlreadyBooked, event, user=Booking.objects.get(event=event).user)


def test_gives_one_place_to_one_person() -> None:
    event = a_full_event()
    entry = a_place(event)

    refused(AlreadyWaiting, event, user=entry.user)

    leave_waitlist(entry_id=entry.pk, actor=entry.user, now=NOW)
    again = a_place(event, user=entry.user)
    assert (again.status, kind_of(event).waiting_count) == ("waiting", 1)


def test_is_refused_to_those_who_hold_an_offer() -> None:
    entry = an_offer()

    refused(AlreadyWaiting, entry.event, user=entry.user)


def test_is_for_as_many_seats_as_one_booking_may_have() -> None:
    event = a_full_event(capacity=3, ticket_types=[{"name": "Standard", "min_per_booking": 1, "max_per_booking": 2}])

    assert "2 seats of “Standard” at most" in refused(TooManySeats, event, seats=3)
    assert "3 seats of “Standard” altogether" in refused(TooManySeats, event, seats=4)
    assert a_place(event, seats=2).seats == 2


def test_is_for_as_many_seats_as_one_booking_must_have() -> None:
    event = a_full_event(capacity=2)
    kind = kind_of(event)
    update_ticket_type(ticket_type_id=kind.pk, changes={"min_per_booking": 2}, actor=event.organizer, now=NOW)

    refused(TooFewSeats, event, seats=1)

    assert a_place(event, seats=2).seats == 2


def test_is_possible_only_while_the_type_is_on_sale() -> None:
    event = a_full_event()
    kind = kind_of(event)
    for window, error in (
        ({"sales_start_at": NOW + timedelta(seconds=1)}, SalesNotStarted),
        ({"sales_start_at": None, "sales_end_at": NOW}, SalesEnded),
    ):
        update_ticket_type(ticket_type_id=kind.pk, changes=window, actor=event.organizer, now=NOW)
        refused(error, event)

    changes = {"sales_end_at": NOW + timedelta(seconds=1)}
    update_ticket_type(ticket_type_id=kind.pk, changes=changes, actor=event.organizer, now=NOW)
    assert a_place(event).status == "waiting"


def test_ends_with_registration() -> None:
    event = a_full_event(registration_deadline=START - timedelta(days=1))

    refused(RegistrationClosed, event, now=START - timedelta(days=1))

    assert a_place(event, now=START - timedelta(days=1, seconds=1)).status == "waiting"


def test_is_refused_once_the_event_is_cancelled() -> None:
    event = a_full_event()
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    refused(EventIsCancelled, event)


def test_tells_a_stranger_nothing_of_drafts_and_hidden_types() -> None:
    draft = a_draft()
    event = a_full_event()
    hidden = TicketType.objects.create(event=event, name="Hidden", is_visible=False)

    for body in ({"event": draft.pk}, {"event": 2**40}):
        answer = join(a_user(), **body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "event")
        assert answer.json()["errors"][0]["code"] == "does_not_exist"
    for type_id in (hidden.pk, kind_of(draft).pk, 2**40):
        answer = join(a_user(), event=event.pk, ticket_type=type_id)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "ticket_type")
        assert answer.json()["errors"][0]["code"] == "does_not_exist"
    assert Waitlist.objects.count() == 0


def test_sent_again_with_its_key_gives_the_same_place() -> None:
    """PAY-6"""
    event = a_full_event()
    client = a_client_of(a_user())
    first, again = (
        client.post("/api/waitlist/", {"event": event.pk}, headers={"Idempotency-Key": "join-1"}) for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert kind_of(event).waiting_count == 1


def test_keeps_everybody_else_from_booking_past_the_queue() -> None:
    """A seat is left, too few for the party that waits: nobody walks in."""
    event = a_full_event(capacity=2)
    a_place(event, seats=2)
    a_free_seat(event)

    with pytest.raises(WaitlistOpen):
        a_booking(event=event)

    assert Event.objects.get(pk=event.pk).seats_taken == 1


def test_books_another_type_instead_and_leaves_the_queue() -> None:
    event = an_event(ticket_types=[{"name": "Few", "quantity": 1}, {"name": "Many"}])
    a_booking(event=event)
    entry = a_place(event, ticket_type=kind_of(event, "Few").pk)
    request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind_of(event, "Many").pk)])

    booking = book_seats(user=entry.user, request=request, now=NOW)

    entry.refresh_from_db()
    assert (booking.status, entry.status, kind_of(event, "Few").waiting_count) == ("confirmed", "left", 0)


def test_keeps_the_place_of_those_whose_booking_is_refused() -> None:
    event = an_event(ticket_types=[{"name": "Few", "quantity": 1}, {"name": "Many", "max_per_booking": 2}])
    a_booking(event=event)
    entry = a_place(event, ticket_type=kind_of(event, "Few").pk)
    many = [TicketRequest(ticket_type=kind_of(event, "Many").pk, quantity=3)]

    with pytest.raises(TooManySeats):
        book_seats(user=entry.user, request=BookingRequest(event_id=event.pk, tickets=many), now=NOW)

    entry.refresh_from_db()
    assert (entry.status, kind_of(event, "Few").waiting_count) == ("waiting", 1)


def test_passes_on_the_offer_of_those_who_book_something_else() -> None:
    event = an_event(ticket_types=[{"name": "Few", "quantity": 1}, {"name": "Many"}])
    a_booking(event=event)
    first = a_place(event, ticket_type=kind_of(event, "Few").pk)
    second = a_place(event, ticket_type=kind_of(event, "Few").pk)
    a_free_seat(event)
    request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind_of(event, "Many").pk)])

    book_seats(user=first.user, request=request, now=NOW)

    assert [*Waitlist.objects.order_by("pk").values_list("pk", "status")] == [
        (first.pk, "left"),
        (second.pk, "offered"),
    ]
    assert Event.objects.get(pk=event.pk).seats_taken == 2


def test_ends_for_those_who_are_given_a_seat() -> None:
    """BKG-7: the offer they held goes to the next."""
    event = an_event(ticket_types=[{"name": "Few", "quantity": 1}, {"name": "Many"}])
    a_booking(event=event)
    invited, second = a_place(event), a_place(event)
    a_free_seat(event)
    gift = Gift(email=invited.user.email, ticket_type=kind_of(event, "Many").pk, reason="Press")

    give_booking(event_id=event.pk, gift=gift, actor=event.organizer, now=NOW)

    assert [*Waitlist.objects.order_by("pk").values_list("pk", "status")] == [
        (invited.pk, "left"),
        (second.pk, "offered"),
    ]


def test_the_list_shows_ones_own_and_those_of_ones_events() -> None:
    event = a_full_event()
    mine, theirs = a_place(event), a_place(event)
    elsewhere = a_place(a_full_event(), user=mine.user)

    def listed(user: CustomUser, query: str = "") -> list[int]:
        return [row["id"] for row in a_client_of(user).get(f"/api/waitlist/{query}").json()["results"]]

    assert listed(mine.user) == [elsewhere.pk, mine.pk]
    assert listed(event.organizer) == [theirs.pk, mine.pk]
    assert listed(an_organizer()) == listed(a_user()) == []
    assert listed(mine.user, f"?event={event.pk}") == [mine.pk]
    assert listed(mine.user, f"?ticket_type={kind_of(event).pk}&status=waiting") == [mine.pk]
    assert listed(mine.user, "?status=offered") == []


def test_the_list_counts_positions_by_type_in_as_many_statements_for_100_as_for_10() -> None:
    event = a_full_event(ticket_types=[{"name": "Standard"}, {"name": "Other"}])
    other = kind_of(event, "Other")
    client = a_client_of(event.organizer)

    def statements() -> tuple[int, list[int]]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rows = client.get("/api/waitlist/?page_size=100&ordering=created_at").json()["results"]
        return len(queries), [row["position"] for row in rows]

    for number in range(10):
        a_place(event, ticket_type=other.pk if number % 2 else None)
    few, places = statements()
    assert places == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    for _ in range(20):
        a_place(event)
    more, places = statements()

    assert few == more
    assert places[-1] == 25


def test_the_position_moves_up_as_those_before_leave() -> None:
    event = a_full_event()
    first, second = a_place(event), a_place(event)
    path, client = f"/api/waitlist/{second.pk}/", a_client_of(second.user)
    assert client.get(path).json()["position"] == 2

    left = a_client_of(first.user).post(f"/api/waitlist/{first.pk}/leave/")

    assert (left.json()["status"], left.json()["position"]) == ("left", None)
    assert client.get(path).json()["position"] == 1


def test_a_place_is_nobody_elses_to_give_up() -> None:
    event = a_full_event()
    entry = a_place(event)

    assert a_client_of(a_user()).post(f"/api/waitlist/{entry.pk}/leave/").status_code == 404
    assert a_client_of(an_organizer()).post(f"/api/waitlist/{entry.pk}/leave/").status_code == 404
    entry.refresh_from_db()
    assert entry.status == "waiting"


def test_an_event_that_somebody_waits_for_keeps_the_type() -> None:
    from events.services import delete_ticket_type
    from events.services.ticket_types import TicketTypeInUse

    event = an_event(capacity=1, ticket_types=[{"name": "Standard"}, {"name": "Other"}])
    a_booking(event=event)
    other = kind_of(event, "Other")
    a_place(event, ticket_type=other.pk)

    with pytest.raises(TicketTypeInUse):
        delete_ticket_type(ticket_type_id=other.pk, actor=event.organizer, now=NOW)


def test_unknown_events_are_refused_by_the_service_too() -> None:
    with pytest.raises(InvalidInput):
        join_waitlist(user=a_user(), event_id=2**40, now=NOW)
