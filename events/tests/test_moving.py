"""An event can be moved until it starts; those who run it are told what cannot be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from events.models import Event
from events.services import advance_event, update_event
from events.signals import event_moved
from events.tests.factories import NOW, START, a_draft, an_event
from users.tests.factories import a_client_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The ids of the events that were said to be moved."""
    ids: list[int] = []

    def listen(event: Event, **_: Any) -> None:
        ids.append(event.pk)

    event_moved.connect(listen)
    yield ids
    event_moved.disconnect(listen)


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": START + timedelta(hours=1)},
        {"venue_name": "Guild Hall"},
        {"address": "2 Other Street"},
        {"city": "Linz"},
        {"country": "AT"},
        {"format": "hybrid", "online_url": "https://meet.example/x"},
    ],
)
def test_another_start_or_place_is_said_once(heard: list[int], changes: dict[str, Any]) -> None:
    event = an_event()

    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)

    assert heard == [event.pk]


@pytest.mark.parametrize(
    "changes",
    [{"title": "Other"}, {"venue_name": "Town Hall"}, {"starts_at": START}, {"capacity": 9}, {"timezone": "UTC"}],
)
def test_an_edit_that_moves_nothing_is_no_move(heard: list[int], changes: dict[str, Any]) -> None:
    event = an_event()

    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)

    assert heard == []


def test_a_draft_is_edited_not_moved(heard: list[int]) -> None:
    draft = a_draft()

    update_event(event_id=draft.pk, changes={"city": "Linz"}, actor=draft.organizer, now=NOW)

    assert heard == []


@pytest.mark.parametrize(
    "changes", [{"starts_at": "2027-06-01T10:00:00Z", "ends_at": "2027-06-01T12:00:00Z"}, {"venue_name": "Guild Hall"}]
)
@pytest.mark.parametrize("noticed", [True, False], ids=["ongoing", "not noticed yet"])
def test_what_has_started_stays_where_it_is(heard: list[int], changes: dict[str, Any], noticed: bool) -> None:
    """By the clock, whether the job that starts events has run or not."""
    event = an_event(now=NOW - timedelta(days=30), starts_at=NOW, ends_at=NOW + timedelta(hours=3))
    if noticed:
        advance_event(event_id=event.pk, now=NOW)
    before = Event.objects.values().get(pk=event.pk)

    answer = a_client_of(event.organizer).patch(f"/api/events/{event.pk}/", changes)

    assert (answer.status_code, answer.json()["code"]) == (409, "event_has_started")
    assert Event.objects.values().get(pk=event.pk) == before
    assert heard == []


def test_what_has_started_can_go_on_for_longer() -> None:
    event = an_event(now=NOW - timedelta(days=30), starts_at=NOW, ends_at=NOW + timedelta(hours=3))
    advance_event(event_id=event.pk, now=NOW)

    answer = a_client_of(event.organizer).patch(f"/api/events/{event.pk}/", {"ends_at": "2027-03-01T18:00:00Z"})

    assert (answer.status_code, answer.json()["ends_at"]) == (200, "2027-03-01T18:00:00Z")


def test_a_published_event_is_not_moved_into_the_past(heard: list[int]) -> None:
    event = an_event(ends_at=START + timedelta(hours=3))
    before = Event.objects.values().get(pk=event.pk)

    answer = a_client_of(event.organizer).patch(f"/api/events/{event.pk}/", {"starts_at": "2027-03-01T12:00:00Z"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "in_the_past")
    assert answer.json()["errors"][0]["field"] == "starts_at"
    assert Event.objects.values().get(pk=event.pk) == before
    assert heard == []


def test_a_published_event_may_be_moved_to_the_next_second() -> None:
    event = an_event(ends_at=START + timedelta(hours=3))

    answer = a_client_of(event.organizer).patch(f"/api/events/{event.pk}/", {"starts_at": "2027-03-01T12:00:01Z"})

    assert answer.status_code == 200
