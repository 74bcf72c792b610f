"""Eligibility and statistics tell of the waitlist: one's own place, whether one could join, and how many do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from bookings.models import Booking
from bookings.services import lapse_offer
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer
from events.models import Event, TicketType
from events.tests.factories import NOW, START, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def eligibility(event: Event, user: CustomUser) -> dict[str, Any]:
    body: dict[str, Any] = a_client_of(user).get(f"/api/events/{event.pk}/eligibility/").json()
    return body


def test_tells_ones_place() -> None:
    """BKG-5, EVT-5"""
    event = a_full_event()
    a_place(event)
    entry = a_place(event)

    body = eligibility(event, entry.user)

    assert body["waitlist_entry"] == {
        "id": entry.pk,
        "ticket_type": entry.ticket_type_id,
        "seats": 1,
        "status": "waiting",
        "position": 2,
        "offer_expires_at": None,
    }
    assert (body["is_eligible"], body["reason"]) == (False, "waitlist_open")
    assert body["detail"] == "You are on the waitlist. We will tell you as soon as it is your turn."


def test_tells_ones_offer_with_its_deadline_until_it_has_run_out() -> None:
    entry = an_offer()

    body = eligibility(entry.event, entry.user)
    told = body["waitlist_entry"]
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        afterwards = eligibility(entry.event, entry.user)

    assert (told["status"], told["position"]) == ("offered", None)
    assert body["reason"] == "sold_out"
    assert body["detail"] == "Seats are held for you. Accept the offer, and they are yours."
    assert told["offer_expires_at"] == "2027-03-02T12:00:00Z"
    # By the clock the seat is free, whether or not the sweep has been there.
    assert (afterwards["waitlist_entry"], afterwards["is_eligible"]) == (None, True)


Scene = Callable[[CustomUser], Event]


def with_room(user: CustomUser) -> Event:
    return an_event(capacity=2)


def full(user: CustomUser) -> Event:
    return a_full_event()


def with_a_queue(user: CustomUser) -> Event:
    return a_place(a_full_event()).event


def booked(user: CustomUser) -> Event:
    return a_booking(user=user, capacity=1).event


def waiting(user: CustomUser) -> Event:
    return a_place(a_full_event(), user=user).event


def offered(user: CustomUser) -> Event:
    event = a_full_event()
    a_place(event, user=user)
    a_free_seat(event)
    return event


def not_on_sale(user: CustomUser) -> Event:
    event = a_full_event()
    TicketType.objects.filter(event=event).update(sales_end_at=NOW)
    return event


def with_overdue_holds(user: CustomUser) -> Event:
    return a_booking(capacity=1, price=5, now=NOW - timedelta(minutes=15)).event


def with_a_lapsed_offer(user: CustomUser) -> Event:
    return an_offer(now=NOW - timedelta(days=1), starts_at=START).event


def with_a_lapsed_offer_that_others_wait_for(user: CustomUser) -> Event:
    event = with_a_lapsed_offer(user)
    return a_place(event, now=NOW - timedelta(hours=1)).event


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (with_room, "seats_available"),
        (full, None),
        (with_a_queue, None),
        (booked, "already_booked"),
        (waiting, "already_waiting"),
        (offered, "already_waiting"),
        (not_on_sale, "sales_ended"),
        (with_overdue_holds, "seats_available"),
        (with_a_lapsed_offer, "seats_available"),
        (with_a_lapsed_offer_that_others_wait_for, None),
    ],
)
def test_says_whether_one_could_join_as_it_turns_out(
    scene: Callable[[CustomUser], Event], expected: str | None
) -> None:
    user = a_user()
    event = scene(user)

    told = eligibility(event, user)["ticket_types"][0]["can_join_waitlist"]
    answer = a_client_of(user).post("/api/waitlist/", {"event": event.pk})

    assert told is (expected is None)
    assert answer.json().get("code") == expected
    assert (answer.status_code == 201) is told


def test_nobody_who_has_not_signed_in_can_join() -> None:
    from rest_framework.test import APIClient

    event = a_full_event()

    body = APIClient().get(f"/api/events/{event.pk}/eligibility/").json()

    assert [kind["can_join_waitlist"] for kind in body["ticket_types"]] == [False]
    assert body["waitlist_entry"] is None


def test_statistics_count_places_by_their_state() -> None:
    """EVT-7"""
    event = a_full_event(capacity=3)
    first, _second, _third = a_place(event), a_place(event), a_place(event)
    a_free_seat(event), a_free_seat(event)
    lapse_offer(entry_id=first.pk, now=NOW + timedelta(days=1))

    figures = a_client_of(event.organizer).get(f"/api/events/{event.pk}/statistics/").json()["bookings"]

    assert figures["waitlist_by_status"] == {
        "waiting": 0,
        "offered": 2,
        "accepted": 0,
        "declined": 0,
        "lapsed": 1,
        "left": 0,
        "closed": 0,
    }
    assert figures["seats_taken"] == 3
    assert Booking.objects.active().filter(event=event).count() == 1
