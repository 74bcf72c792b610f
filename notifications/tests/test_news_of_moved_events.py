"""Whoever has booked an event that moves is told where and when it takes place now, and how long they can cancel."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from bookings.jobs import TELL_OF_MOVES
from bookings.models import Booking
from bookings.services import tell_of_move
from bookings.tests.factories import a_booking
from eventhub_config.shared.periodic import all_jobs
from events.models import Event
from events.services import update_event
from events.tests.factories import NOW, START
from notifications.models import Notification

pytestmark = pytest.mark.django_db

LATER = START + timedelta(days=7)
TO_LATER = {"starts_at": LATER, "ends_at": LATER + timedelta(hours=3)}


def move(event: Event, at: Any = NOW, **changes: Any) -> None:
    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=at)


def news(booking: Booking) -> list[Notification]:
    return list(Notification.objects.filter(user=booking.user, kind="booking_moved").order_by("pk"))


def test_tells_the_new_time_and_place_by_the_clock_of_the_place() -> None:
    booking = a_booking()

    move(booking.event, **TO_LATER, city="Hamburg")
    TELL_OF_MOVES.run(NOW)

    (told,) = news(booking)
    assert (told.type, told.title) == ("update", "New time or place: Zero to API")
    assert told.body == (
        "“Zero to API” was moved. It now takes place Wed 7 April 2027, 14:00 to 17:00 (Europe/Berlin, UTC+02:00), "
        f"Town Hall, Hamburg. Your booking {booking.reference} stays as it is. If it suits you no more, you can cancel "
        "free of charge until Wed 7 April 2027, 14:00 (Europe/Berlin, UTC+02:00)."
    )
    assert told.data == {"booking": booking.pk, "event": booking.event_id}


def test_moved_twice_in_between_tells_the_last_state_once() -> None:
    booking = a_booking()
    move(booking.event, **TO_LATER)
    move(booking.event, NOW + timedelta(minutes=1), venue_name="Old Harbour")

    TELL_OF_MOVES.run(NOW + timedelta(minutes=1))

    (told,) = news(booking)
    assert "Wed 7 April 2027, 14:00 to 17:00 (Europe/Berlin, UTC+02:00), Old Harbour." in told.body


def test_each_move_is_told_once_however_often_the_job_runs() -> None:
    """NTF-2"""
    booking = a_booking()
    for minutes, city in ((0, "Hamburg"), (1, "Bremen")):
        at = NOW + timedelta(minutes=minutes)
        move(booking.event, at, city=city)
        for _ in range(3):
            tell_of_move(booking_id=booking.pk, now=at)

    assert ["Hamburg" in told.body for told in news(booking)] == [True, False]
    assert ["Bremen" in told.body for told in news(booking)] == [False, True]


def test_a_job_that_comes_late_offers_no_cancellation_that_is_over() -> None:
    booking = a_booking()
    move(booking.event, **TO_LATER)

    TELL_OF_MOVES.run(LATER)

    assert news(booking)[0].body.endswith("stays as it is.")


def test_is_mailed(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking()
    move(booking.event, **TO_LATER)
    TELL_OF_MOVES.run(NOW)

    all_jobs()["sweep_messages"].run(NOW)

    (mail,) = [mail for mail in mailoutbox if mail.subject == "New time or place: Zero to API"]
    assert mail.to == [booking.user.email]
    assert "When: Wed 7 April 2027, 14:00 to 17:00" in mail.body
