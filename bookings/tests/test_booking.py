"""Booking seats through the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.tests.factories import a_booking
from events.models import Event, TicketType
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def book(user: CustomUser, event: Event, **body: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.post("/api/bookings/", {"event": event.pk, **body})


def refused(response: Any, event: Event, code: str, status: int = 409) -> bool:
    """Return whether the answer refuses with this code and nothing was booked."""
    seats = Event.objects.get(pk=event.pk).seats_taken
    assert (response.status_code, response.json()["code"]) == (status, code), response.json()
    return seats == event.seats_taken and not Booking.objects.filter(event=event, status="pending").exists()


def test_a_free_booking_is_confirmed_at_once() -> None:
    """BKG-1, BKG-2"""
    event = an_event(capacity=10)
    user = a_user(first_name="Ada", last_name="Lovelace")

    response = book(user, event)

    body = response.json()
    assert response.status_code == 201
    assert (body["status"], body["seats"], body["total_amount"], body["expires_at"]) == ("confirmed", 1, "0.00", None)
    assert [ticket["attendee_name"] for ticket in body["tickets"]] == ["Ada Lovelace"]
    event.refresh_from_db()
    assert event.seats_taken == 1


def test_a_paid_booking_holds_its_seats_until_a_deadline() -> None:
    """BKG-2"""
    event = an_event(price="12.50")
    kind = TicketType.objects.get(event=event)

    response = book(a_user(), event, tickets=[{"ticket_type": kind.pk, "quantity": 3}])

    body = response.json()
    assert (body["status"], body["seats"], body["total_amount"], body["amount_due"]) == ("pending", 3, "37.50", "37.50")
    assert body["expires_at"] == "2027-03-01T12:15:00Z"
    kind.refresh_from_db()
    assert kind.seats_taken == 3


def test_the_price_is_fixed_at_booking_time() -> None:
    """BKG-1"""
    event = an_event(price=10, refund_policy="partial", refund_percent=50)
    booking = a_booking(event=event)

    TicketType.objects.filter(event=event).update(price=Decimal(99))
    Event.objects.filter(pk=event.pk).update(refund_policy="none")

    booking.refresh_from_db()
    assert (booking.total_amount, booking.refund_policy, booking.refund_until) == (10, "partial", START)
    assert Ticket.objects.get(booking=booking).price == 10


def test_several_types_and_named_attendees_go_into_one_booking() -> None:
    event = an_event(ticket_types=[{"name": "Adult", "price": Decimal(20)}, {"name": "Child", "price": Decimal(5)}])
    adult, child = TicketType.objects.in_order().filter(event=event)

    response = book(
        a_user(),
        event,
        tickets=[
            {"ticket_type": adult.pk, "attendee_name": "Grace", "attendee_email": "grace@example.org"},
            {"ticket_type": child.pk, "quantity": 2},
        ],
        special_requirements="no nuts",
        billing={"company": "ACME", "country": "DE"},
    )

    body = response.json()
    assert response.status_code == 201
    assert body["total_amount"] == "30.00"
    assert [(t["ticket_type"], t["attendee_name"], t["price"]) for t in body["tickets"]] == [
        (adult.pk, "Grace", "20.00"),
        (child.pk, "", "5.00"),
        (child.pk, "", "5.00"),
    ]
    assert body["special_requirements"] == {"dietary": "", "accessibility": "", "other": "no nuts"}
    assert body["billing"]["company"] == "ACME"


def test_amounts_have_the_decimals_of_their_currency() -> None:
    yen = book(a_user(), an_event(price=1200, currency="JPY")).json()
    dinar = book(a_user(), an_event(price="1.250", currency="KWD")).json()

    assert (yen["total_amount"], dinar["total_amount"]) == ("1200", "1.250")


def test_the_event_alone_books_the_first_type_on_sale() -> None:
    """BKG-1"""
    event = an_event(
        ticket_types=[
            {"name": "Early", "price": Decimal(5), "sales_end_at": NOW},
            {"name": "Regular", "price": Decimal(9)},
        ]
    )

    assert book(a_user(), event).json()["total_amount"] == "9.00"


def test_a_second_active_booking_is_refused() -> None:
    """BKG-1"""
    event = an_event()
    user = a_user()
    assert book(user, event).status_code == 201
    event.refresh_from_db()

    assert refused(book(user, event), event, "already_booked")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"capacity": 0}, "sold_out"),
        ({"ticket_types": [{"name": "A", "quantity": 0}]}, "sold_out"),
        ({"ticket_types": [{"name": "A", "sales_start_at": NOW + timedelta(seconds=1)}]}, "sales_not_started"),
        ({"ticket_types": [{"name": "A", "sales_end_at": NOW}]}, "sales_ended"),
        ({"ticket_types": [{"name": "A", "min_per_booking": 2}]}, "too_few_seats"),
        ({"registration_deadline": NOW, "now": NOW - timedelta(days=1)}, "registration_closed"),
    ],
)
def test_what_cannot_be_booked_is_refused_with_its_reason(values: dict[str, Any], code: str) -> None:
    """EVT-5"""
    event = an_event(**values)

    assert refused(book(a_user(), event), event, code)


@pytest.mark.parametrize(("seconds", "status"), [(-1, 201), (0, 409)])
def test_registration_is_open_until_the_very_start(seconds: int, status: int) -> None:
    event = an_event()

    with time_machine.travel(START + timedelta(seconds=seconds), tick=False):
        assert book(a_user(), event).status_code == status


@pytest.mark.parametrize(("status", "code"), [("cancelled", "event_cancelled"), ("ongoing", "registration_closed")])
def test_only_published_events_are_booked(status: str, code: str) -> None:
    event = an_event()
    Event.objects.filter(pk=event.pk).update(status=status)

    assert refused(book(a_user(), event), event, code)


def test_a_draft_looks_like_no_event_at_all() -> None:
    """EVT-6"""
    draft = a_draft()
    client = APIClient()
    client.force_authenticate(a_user())

    of_draft = client.post("/api/bookings/", {"event": draft.pk}).json()
    of_nothing = client.post("/api/bookings/", {"event": 10**15}).json()

    assert of_draft["errors"] == [{"field": "event", "code": "does_not_exist", "message": "There is no such object."}]
    assert {**of_draft, "request_id": ""} == {**of_nothing, "request_id": ""}
    assert Booking.objects.count() == 0


def test_the_organizer_is_told_that_their_draft_is_not_published() -> None:
    draft = a_draft()

    assert refused(book(draft.organizer, draft), draft, "not_published")


def test_somebody_elses_ticket_type_is_refused() -> None:
    event, other = an_event(), an_event()
    foreign = TicketType.objects.get(event=other)

    response = book(a_user(), event, tickets=[{"ticket_type": foreign.pk}])

    assert response.json()["errors"][0]["field"] == "tickets.0.ticket_type"
    assert refused(response, event, "invalid", 400)


def test_while_anybody_waits_nobody_books_past_them() -> None:
    """BKG-5"""
    event = an_event(capacity=5)
    TicketType.objects.filter(event=event).update(waiting_count=1)

    assert refused(book(a_user(), event), event, "waitlist_open")


def test_the_limit_per_booking_is_on_the_sum(settings: Any) -> None:
    """RELIABILITY A6"""
    settings.MAX_SEATS_PER_BOOKING = 4
    event = an_event(ticket_types=[{"name": "A"}, {"name": "B"}])
    first, second = TicketType.objects.in_order().filter(event=event)

    response = book(
        a_user(), event, tickets=[{"ticket_type": first.pk, "quantity": 3}, {"ticket_type": second.pk, "quantity": 2}]
    )

    assert refused(response, event, "too_many_seats")


def test_single_lines_of_one_type_add_up() -> None:
    """RELIABILITY A6"""
    event = an_event(ticket_types=[{"name": "A", "quantity": 3, "max_per_booking": 3}])
    kind = TicketType.objects.get(event=event)

    response = book(a_user(), event, tickets=[{"ticket_type": kind.pk}] * 4)

    assert response.json()["code"] == "sold_out"
    assert Booking.objects.count() == 0


def test_one_person_holds_only_so_many_unpaid_bookings(settings: Any) -> None:
    """BKG-7"""
    settings.MAX_OPEN_HOLDS = 2
    user = a_user()
    for _ in range(2):
        assert book(user, an_event(price=5)).status_code == 201

    refusal = book(user, an_event(price=5))
    free = book(user, an_event())

    assert (refusal.status_code, refusal.json()["code"]) == (409, "too_many_open_holds")
    assert free.status_code == 201


def test_overdue_holds_give_way_to_the_next_person() -> None:
    """Decided by the clock, not by whether the sweep has run."""
    event = an_event(price=5, capacity=1)
    overdue = a_booking(event=event, now=NOW - timedelta(minutes=15))

    response = book(a_user(), event)

    overdue.refresh_from_db()
    assert response.status_code == 201
    assert overdue.status == "expired"
    event.refresh_from_db()
    assert event.seats_taken == 1


def test_an_overdue_hold_of_ones_own_is_no_booking_any_more() -> None:
    event = an_event(price=5)
    overdue = a_booking(event=event, now=NOW - timedelta(minutes=15))

    response = book(overdue.user, event)

    overdue.refresh_from_db()
    assert (response.status_code, overdue.status) == (201, "expired")


def test_overdue_holds_do_not_count_among_open_ones(settings: Any) -> None:
    settings.MAX_OPEN_HOLDS = 1
    overdue = a_booking(price=5, now=NOW - timedelta(minutes=15))

    assert book(overdue.user, an_event(price=5)).status_code == 201
    assert book(overdue.user, an_event(price=5)).json()["code"] == "too_many_open_holds"


def test_a_long_name_is_cut_to_what_a_ticket_has_room_for() -> None:
    user = a_user(first_name="a" * 150, last_name="b" * 150)

    response = book(user, an_event())

    assert response.status_code == 201
    assert response.json()["tickets"][0]["attendee_name"] == f"{'a' * 150} {'b' * 9}"


def test_a_hold_stands_to_its_last_second() -> None:
    event = an_event(price=5, capacity=1)
    held = a_booking(event=event, now=NOW - timedelta(minutes=15) + timedelta(seconds=1))

    response = book(a_user(), event)

    held.refresh_from_db()
    assert (response.json()["code"], held.status) == ("sold_out", "pending")


def test_an_unlimited_event_is_never_sold_out() -> None:
    """RELIABILITY section 5: NULL matches no row"""
    event = an_event(capacity=None)

    assert [book(a_user(), event).status_code for _ in range(3)] == [201, 201, 201]


def test_the_booking_leaves_its_history() -> None:
    from eventhub_config.shared.models import StatusChange

    user = a_user()
    booking = a_booking(user=user)

    rows = StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk)
    assert list(rows.values_list("from_status", "to_status", "actor", "at")) == [
        ("", "confirmed", f"user:{user.pk}", NOW)
    ]
