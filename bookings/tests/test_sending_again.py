"""BKG-7: the confirmation is sent again on request, once in five minutes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.tests.factories import a_booking
from events.services import cancel_event
from events.tests.factories import NOW
from users.models import CustomUser
from users.tests.factories import a_user, an_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAUSE = timedelta(minutes=5)


def resend(booking: Booking, user: CustomUser | None = None) -> Any:
    client = APIClient()
    client.force_authenticate(user or booking.user)
    return client.post(f"/api/bookings/{booking.pk}/resend_confirmation/")


def sent_at(booking: Booking) -> Any:
    booking.refresh_from_db()
    return booking.confirmation_resent_at


def test_answers_with_the_booking() -> None:
    booking = a_booking()

    response = resend(booking)

    assert (response.status_code, response.json()["reference"]) == (200, booking.reference)
    assert sent_at(booking) == NOW


def test_is_refused_within_five_minutes_whoever_asks() -> None:
    booking = a_booking()
    resend(booking)

    with time_machine.travel(NOW + PAUSE - timedelta(seconds=90), tick=False):
        response = resend(booking, booking.event.organizer)

    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (409, "sent_just_now", "90")
    assert sent_at(booking) == NOW


def test_is_done_again_after_five_minutes() -> None:
    booking = a_booking()
    resend(booking)

    with time_machine.travel(NOW + PAUSE, tick=False):
        response = resend(booking)

    assert response.status_code == 200
    assert sent_at(booking) == NOW + PAUSE


def test_those_who_run_the_event_may_ask_for_it() -> None:
    for role in ("organizer", "admin"):
        booking = a_booking()
        person = booking.event.organizer if role == "organizer" else an_admin()

        assert resend(booking, person).status_code == 200


def test_a_stranger_gets_404_and_nothing_is_sent() -> None:
    booking = a_booking()

    assert resend(booking, a_user()).status_code == 404
    assert sent_at(booking) is None


@pytest.mark.parametrize("status", ["pending", "cancelled", "expired", "no_show"])
def test_there_is_nothing_to_confirm_of_any_other_booking(status: str) -> None:
    booking = a_booking()
    Booking.objects.filter(pk=booking.pk).update(status=status, expires_at=NOW)

    response = resend(booking)

    assert (response.status_code, response.json()["code"]) == (409, "not_confirmed")
    assert sent_at(booking) is None


def test_nor_of_a_cancelled_event() -> None:
    booking = a_booking()
    cancel_event(event_id=booking.event_id, reason="Storm", actor=booking.event.organizer, now=NOW)

    response = resend(booking)

    assert (response.status_code, response.json()["code"]) == (409, "event_cancelled")
    assert sent_at(booking) is None
