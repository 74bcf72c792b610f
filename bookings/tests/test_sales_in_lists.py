"""What sales change in the lists and details of events, at once or some moments later."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from bookings.tests.factories import a_booking
from events.tests.factories import an_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_now")]


def listed() -> dict[int, dict[str, Any]]:
    return {event["id"]: event for event in APIClient().get("/api/events/").json()["results"]}


def test_a_sale_may_show_later_in_the_list_and_never_in_the_detail(settings: Any) -> None:
    settings.LIST_CACHE_SECONDS = 60
    event = an_event(capacity=1)
    listed()
    a_booking(event=event)

    assert listed()[event.pk]["seats_left"] == 1
    assert APIClient().get(f"/api/events/{event.pk}/").json()["seats_left"] == 0
    assert APIClient().get(f"/api/events/{event.pk}/availability/").json()["unavailable_reason"] == "sold_out"
