"""Figures about an event, put together from what each app contributes."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.tests.factories import NOW, an_event
from payments.models import Refund
from payments.services import send_refund
from payments.tests.factories import a_paid_booking, a_processed_payment
from users.models import CustomUser
from users.tests.factories import a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def figures(event: Any, user: CustomUser) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.get(f"/api/events/{event.pk}/statistics/")


def test_bookings_and_money_of_one_event() -> None:
    """EVT-7"""
    event = an_event(price=10, capacity=8)
    a_paid_booking(booking=a_booking(event=event, seats=2))
    back = a_paid_booking(booking=a_booking(event=event))
    cancel_booking(booking_id=back.pk, actor=back.user, now=NOW)
    send_refund(refund_id=Refund.objects.get().pk, now=NOW)
    a_processed_payment(booking=a_booking(event=event), token="tok_decline")
    a_paid_booking()  # of another event

    assert figures(event, event.organizer).json() == {
        "bookings": {
            "by_status": {"pending": 1, "confirmed": 1, "cancelled": 1, "expired": 0, "no_show": 0},
            "seats_taken": 3,
            "fill_rate": 0.375,
            "checked_in": 0,
            "by_day": [{"day": "2027-03-01", "bookings": 3, "seats": 4}],
        },
        "payments": {
            "revenue": [{"currency": "EUR", "received": "30.00", "refunded": "10.00", "kept": "20.00"}],
            "failed": 1,
        },
    }


def test_an_event_without_bookings_has_figures_too() -> None:
    body = figures(event := an_event(), event.organizer).json()

    assert (body["bookings"]["by_day"], body["bookings"]["fill_rate"], body["payments"]["revenue"]) == ([], None, [])


def test_days_are_those_of_the_events_zone() -> None:
    event = an_event(timezone="Pacific/Kiritimati")  # UTC+14: noon in UTC is tomorrow there
    a_booking(event=event)

    assert figures(event, event.organizer).json()["bookings"]["by_day"][0]["day"] == "2027-03-02"


def test_they_are_for_those_who_run_the_event() -> None:
    event = an_event()

    assert figures(event, a_user()).status_code == 403
    assert figures(event, an_organizer()).json()["code"] == "not_owner"
