"""Cancelling a booking through the API, and what it frees."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.jobs import CLOSE_CANCELLED
from bookings.models import Booking, Ticket
from bookings.services.closing import cancellation_terms
from bookings.services.terms import policy_text
from bookings.tests.factories import a_booking
from events.models import Event
from events.tests.factories import NOW, START, an_event
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def cancel(booking: Booking, user: CustomUser, **body: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.post(f"/api/bookings/{booking.pk}/cancel/", body)


def test_gives_the_seats_back() -> None:
    booking = a_booking(seats=3, capacity=3)

    response = cancel(booking, booking.user, reason="Ill")

    body = response.json()
    assert (response.status_code, body["status"], body["cancellation_reason"]) == (200, "cancelled", "Ill")
    assert body["cancelled_at"] == "2027-03-01T12:00:00Z"
    assert {ticket["status"] for ticket in body["tickets"]} == {"cancelled"}
    booking.event.refresh_from_db()
    assert booking.event.seats_taken == 0


def test_cancelling_twice_frees_them_once() -> None:
    event = an_event()
    a_booking(event=event)
    booking = a_booking(event=event)
    cancel(booking, booking.user)

    response = cancel(booking, booking.user)

    assert (response.status_code, response.json()["code"]) == (409, "invalid_transition")
    event.refresh_from_db()
    assert event.seats_taken == 1


def test_one_can_book_again_afterwards() -> None:
    booking = a_booking()
    cancel(booking, booking.user)

    again = a_booking(user=booking.user, event=booking.event)

    assert again.status == "confirmed"


def test_a_stranger_gets_404_and_nothing_changes() -> None:
    booking = a_booking()

    for stranger in (a_user(), an_organizer()):
        assert cancel(booking, stranger).status_code == 404

    booking.refresh_from_db()
    assert booking.status == "confirmed"
    assert Ticket.objects.get(booking=booking).status == "valid"


@pytest.mark.parametrize("who", ["organizer", "admin"])
def test_the_organizer_and_admins_can(who: str) -> None:
    booking = a_booking()
    actor = booking.event.organizer if who == "organizer" else an_admin()

    assert cancel(booking, actor).json()["status"] == "cancelled"


def test_attendees_cancel_before_the_start_only() -> None:
    booking = a_booking()

    with time_machine.travel(START, tick=False):
        by_attendee = cancel(booking, booking.user)
        by_organizer = cancel(booking, booking.event.organizer)

    assert (by_attendee.status_code, by_attendee.json()["code"]) == (409, "event_has_started")
    assert by_organizer.json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("policy", "days_before", "retained"),
    [
        ({"refund_policy": "full"}, 1, "0.00"),
        ({"refund_policy": "full", "refund_until": START - timedelta(days=2)}, 1, "10.05"),
        ({"refund_policy": "partial", "refund_percent": 50}, 1, "5.02"),
        ({"refund_policy": "none"}, 20, "10.05"),
    ],
)
def test_the_policy_says_what_is_retained(policy: dict[str, Any], days_before: int, retained: str) -> None:
    """BKG-4"""
    booking = a_booking(price="10.05", **policy)
    Booking.objects.filter(pk=booking.pk).update(status="confirmed")

    with time_machine.travel(START - timedelta(days=days_before), tick=False):
        assert cancel(booking, booking.user).json()["amount_due"] == retained


def test_nothing_is_retained_when_the_organizer_cancels() -> None:
    booking = a_booking(price=10, refund_policy="none")
    Booking.objects.filter(pk=booking.pk).update(status="confirmed")

    assert cancel(booking, booking.event.organizer).json()["amount_due"] == "0.00"


def test_nothing_is_retained_of_what_was_not_paid() -> None:
    booking = a_booking(price=10, refund_policy="none")

    assert cancel(booking, booking.user).json()["amount_due"] == "0.00"


def test_nothing_is_retained_of_who_is_faster_than_the_closing_of_a_cancelled_event() -> None:
    """BKG-4, RELIABILITY C11: the event does not take place, whatever its policy says."""
    booking = a_booking(price=10, refund_policy="none")
    Booking.objects.filter(pk=booking.pk).update(status="confirmed", expires_at=None)
    Event.objects.update(status="cancelled")
    booking = Booking.objects.get()

    preview = cancellation_terms(booking, booking.user, NOW)
    response = cancel(booking, booking.user)

    assert (preview.retained, preview.refunded, preview.until) == (Decimal(0), Decimal(10), None)
    assert policy_text(booking, preview) == "The event was cancelled: everything goes back."
    assert (response.status_code, response.json()["amount_due"]) == (200, "0.00")


def test_a_cancelled_event_closes_its_bookings_in_full() -> None:
    """EVT-2"""
    from bookings.jobs import CLOSE_CANCELLED
    from events.services import cancel_event

    event = an_event(price=10, refund_policy="none")
    paid, unpaid = a_booking(event=event), a_booking(event=event)
    Booking.objects.filter(pk=paid.pk).update(status="confirmed")
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    assert CLOSE_CANCELLED.run(NOW) == 2
    assert CLOSE_CANCELLED.run(NOW) == 0
    for booking in (paid, unpaid):
        booking.refresh_from_db()
        assert (booking.status, booking.amount_due) == ("cancelled", Decimal(0))
    assert Event.objects.get(pk=event.pk).seats_taken == 0


def test_holds_expire_by_the_sweep_and_free_their_seats() -> None:
    from bookings.jobs import JOBS

    overdue = a_booking(price=5, seats=2, now=NOW - timedelta(minutes=15))
    running = a_booking(price=5, now=NOW - timedelta(minutes=14))

    assert JOBS[0].run(NOW) == 1

    overdue.refresh_from_db()
    running.refresh_from_db()
    assert (overdue.status, running.status) == ("expired", "pending")
    overdue.event.refresh_from_db()
    assert overdue.event.seats_taken == 0


def test_who_did_not_come_is_not_closed_with_the_event_over_and_over() -> None:
    for status in ("confirmed", "no_show"):
        booking = a_booking()
        Booking.objects.filter(pk=booking.pk).update(status=status)
    Event.objects.update(status="cancelled")

    assert list(CLOSE_CANCELLED.find(NOW)) == [Booking.objects.get(status="confirmed").pk]
