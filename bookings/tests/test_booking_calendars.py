"""BKG-4: a booked event as a calendar file, in an entry of its own."""

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking, expire_booking
from bookings.tests.factories import a_booking
from events.services import update_event
from events.services.calendars import calendar_of
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def ask(booking: Booking, user: CustomUser | None = None) -> Any:
    client = APIClient()
    client.force_authenticate(user or booking.user)
    return client.get(f"/api/bookings/{booking.pk}/calendar/")


def entry_of(content: bytes) -> Any:
    (entry,) = Calendar.from_ical(content).walk("VEVENT")
    return entry


def test_tells_the_event_with_the_booking_s_reference() -> None:
    booking = a_booking(event=an_event(title="Zero to API", summary="In one day"))

    response = ask(booking)

    entry = entry_of(response.content)
    assert response["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert response["Content-Disposition"] == f'attachment; filename="booking-{booking.reference}.ics"'
    assert response["Cache-Control"] == "private, no-store"
    assert (entry["SUMMARY"], entry["STATUS"], entry["LOCATION"]) == ("Zero to API", "CONFIRMED", "Town Hall")
    assert entry["DESCRIPTION"] == f"Your booking: {booking.reference}\n\nIn one day"
    assert entry["DTSTART"].dt == booking.event.starts_at


def test_is_another_entry_than_the_event_s_own() -> None:
    booking = a_booking()

    own, public = entry_of(ask(booking).content), entry_of(calendar_of(booking.event))

    assert str(own["UID"]).startswith(f"booking-{booking.pk}@")
    assert str(public["UID"]).startswith(f"event-{booking.event_id}@")


def test_a_cancelled_booking_leaves_the_calendar_while_the_event_goes_on() -> None:
    booking = a_booking()
    before = entry_of(ask(booking).content)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW + timedelta(hours=1))

    response = ask(booking)

    after = entry_of(response.content)
    assert Calendar.from_ical(response.content)["METHOD"] == "CANCEL"
    assert response["Content-Type"].endswith("method=CANCEL")
    assert (after["STATUS"], after["UID"]) == ("CANCELLED", before["UID"])
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTAMP"].dt == NOW + timedelta(hours=1)
    assert entry_of(calendar_of(booking.event))["STATUS"] == "CONFIRMED"


def test_what_is_not_paid_yet_is_tentative() -> None:
    booking = a_booking(price=5)

    entry = entry_of(ask(booking).content)

    assert (entry["STATUS"], booking.status) == ("TENTATIVE", "pending")
    assert entry["DESCRIPTION"].startswith(f"Your booking: {booking.reference} (awaiting payment)")


def test_an_expired_one_too() -> None:
    booking = a_booking(price=10)
    expire_booking(booking_id=booking.pk, now=NOW + timedelta(hours=1))

    assert entry_of(ask(booking).content)["STATUS"] == "CANCELLED"


def test_follows_an_event_that_is_moved() -> None:
    booking = a_booking()
    before = entry_of(ask(booking).content)
    starts_at = booking.event.starts_at + timedelta(days=1)
    changes = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2)}
    update_event(event_id=booking.event_id, changes=changes, actor=booking.event.organizer, now=NOW)

    after = entry_of(ask(booking).content)

    assert (after["UID"], after["DTSTART"].dt) == (before["UID"], starts_at)
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_never_holds_the_online_link() -> None:
    booking = a_booking(event=an_event(format="online", online_url="https://meet.example.com/secret"))

    assert b"meet.example.com" not in ask(booking).content


def test_is_for_those_who_may_read_the_booking() -> None:
    booking = a_booking()

    answers = [ask(booking, user).status_code for user in (booking.event.organizer, a_user())]

    assert answers == [200, 404]
