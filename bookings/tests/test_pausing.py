"""A pause for those who let unpaid bookings run out again and again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import override_settings

from bookings.models import Booking
from bookings.services import expire_booking
from bookings.tests.factories import a_booking
from events.models import Event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ran_out(user: CustomUser, *minutes_ago: int, sweep: bool = True) -> None:
    """Have bookings of a user run out so many minutes ago."""
    for minutes in minutes_ago:
        ended = NOW - timedelta(minutes=minutes)
        with override_settings(EXPIRED_HOLDS_ALLOWED=100):
            booking = a_booking(user=user, price=5, now=ended - timedelta(minutes=15))
        assert booking.expires_at == ended
        if sweep:
            expire_booking(booking_id=booking.pk, now=ended)


def book(user: CustomUser, event: Event) -> Any:
    return a_client_of(user).post("/api/bookings/", {"event": event.pk})


def at(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def test_three_that_ran_out_within_the_hour_pause_what_has_a_price() -> None:
    """BKG-7, OWASP API6"""
    user, event = a_user(), an_event(price=5)
    ran_out(user, 50, 30, 10)

    answer = book(user, event)

    assert (answer.status_code, answer.json()["code"]) == (409, "booking_paused")
    assert answer["Retry-After"] == str(10 * 60)  # until the first of them is an hour ago
    assert Booking.objects.filter(event=event).count() == 0
    event.refresh_from_db()
    assert event.seats_taken == 0


def test_the_pause_ends_when_it_says() -> None:
    user, event = a_user(), an_event(price=5)
    ran_out(user, 50, 30, 10)

    with at(NOW + timedelta(minutes=10, seconds=-1)):
        before = book(user, event)
    with at(NOW + timedelta(minutes=10)):
        after = book(user, event)

    assert (before.json()["code"], before["Retry-After"]) == ("booking_paused", "1")
    assert after.status_code == 201


def test_of_more_than_three_the_last_three_count() -> None:
    user = a_user()
    ran_out(user, 55, 50, 30, 10)

    assert book(user, an_event(price=5))["Retry-After"] == str(10 * 60)


@pytest.mark.parametrize("minutes_ago", [(30, 10), (60, 30, 10)])
def test_two_within_the_hour_do_not(minutes_ago: tuple[int, ...]) -> None:
    user = a_user()
    ran_out(user, *minutes_ago)

    assert book(user, an_event(price=5)).status_code == 201


def test_what_is_free_and_other_people_are_not_paused() -> None:
    user, event = a_user(), an_event(price=5)
    ran_out(user, 50, 30, 10)

    assert book(user, an_event()).status_code == 201
    assert book(a_user(), event).status_code == 201


def test_counts_by_the_clock_whether_or_not_the_sweep_has_run() -> None:
    user, event = a_user(), an_event(price=5)
    ran_out(user, 3, 2, 1, sweep=False)

    assert book(user, event).json()["code"] == "booking_paused"


def test_bookings_that_were_cancelled_in_time_do_not_count() -> None:
    user, event = a_user(), an_event(price=5)
    for _ in range(4):
        made = book(user, event).json()
        a_client_of(user).post(f"/api/bookings/{made['id']}/cancel/", {})

    assert book(user, event).status_code == 201


def test_eligibility_tells_it_beforehand() -> None:
    user, event = a_user(), an_event(price=5)
    ran_out(user, 3, 2, sweep=True)
    ran_out(user, 1, sweep=False)

    body = a_client_of(user).get(f"/api/events/{event.pk}/eligibility/").json()

    assert (body["is_eligible"], body["reason"]) == (False, "booking_paused")


def test_how_many_and_how_long_are_settings(settings: Any) -> None:
    settings.EXPIRED_HOLDS_ALLOWED, settings.EXPIRED_HOLDS_WINDOW_MINUTES = 1, 5
    user = a_user()
    ran_out(user, 6)

    assert book(user, an_event(price=5)).status_code == 201
    ran_out(user, 4)
    assert book(user, an_event(price=5))["Retry-After"] == "60"
