"""The demo's bigger events have programmes, whatever the day of the year on which it is loaded."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from events import demo as events_demo
from events.demo_programme import PROGRAMMES
from events.integrity import CHECKS
from events.models import Event
from users import demo as users_demo

pytestmark = pytest.mark.django_db


# Loaded on these days, the two days of the conference lie around a change of the clocks in Berlin.
@pytest.mark.parametrize("day", [datetime(2027, 2, 10, tzinfo=UTC), datetime(2027, 9, 15, tzinfo=UTC)])
def test_are_there_and_can_take_place(day: datetime) -> None:
    """EVT-3, API-5"""
    users_demo.load(now=day)

    events_demo.load(now=day)

    planned = {title: Event.objects.get(title=title).sessions.count() for title in PROGRAMMES}
    assert planned == {title: len(talks) for title, talks in PROGRAMMES.items()}
    assert [str(finding) for check in CHECKS for finding in check.findings()] == []


def test_an_event_is_found_under_the_address_of_its_former_title() -> None:
    """EVT-8"""
    users_demo.load(now=datetime(2027, 2, 10, tzinfo=UTC))
    events_demo.load(now=datetime(2027, 2, 10, tzinfo=UTC))

    (found,) = APIClient().get("/api/events/?slug=stockholm-python-night").json()["results"]

    assert (found["title"], found["slug"]) == ("Stockholm Python Evening", "stockholm-python-evening")
