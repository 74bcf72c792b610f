"""The demo people have read what is not news to them any more."""

import pytest

from bookings import demo as bookings_demo
from bookings.models import Booking
from events import demo as events_demo
from events.tests.factories import NOW
from notifications import demo
from notifications.models import Notification
from users import demo as users_demo

pytestmark = pytest.mark.django_db


def test_welcomes_are_read_and_a_second_run_changes_nothing() -> None:
    users_demo.load(now=NOW)

    demo.load(now=NOW)
    shown = Notification.objects.filter(in_app=True).order_by("pk")
    first = list(shown.values("pk", "is_read", "read_at"))
    demo.load(now=NOW.replace(hour=23))

    assert first != []
    assert {row["read_at"] for row in first} == {NOW}
    assert list(shown.values("pk", "is_read", "read_at")) == first


def test_those_who_booked_the_event_that_was_moved_are_told() -> None:
    for app in (users_demo, events_demo, bookings_demo):
        app.load(now=NOW)

    told = Notification.objects.filter(kind="booking_moved")
    moved = Booking.objects.filter(event__title=bookings_demo.MOVED[0]).order_by("user__username")

    assert [booking.user.username for booking in moved] == ["ada", "chloe"]
    assert {message.user_id for message in told} == {booking.user_id for booking in moved}
    assert len(told) == 2
    assert all(bookings_demo.MOVED[2] in message.body for message in told)
    assert all(booking.free_cancellation_until == booking.event.starts_at for booking in moved)
