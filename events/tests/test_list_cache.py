"""The public list may be some moments old in what it says of seats, and never in what an organizer edited."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit
from events.models import Event
from events.services import publish_event, update_event
from events.tests.factories import NOW, a_draft, an_event
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_now")]


@pytest.fixture(autouse=True)
def kept_for_long(settings: Any) -> None:
    settings.LIST_CACHE_SECONDS = 60


def listed(client: APIClient | None = None) -> dict[int, dict[str, Any]]:
    body = (client or APIClient()).get("/api/events/").json()
    assert body["count"] == len(body["results"])
    return {event["id"]: event for event in body["results"]}


def test_a_kept_list_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    an_event()
    first = listed()

    with django_assert_num_queries(0):
        assert listed() == first


def test_an_edit_shows_at_once() -> None:
    event, draft = an_event(), a_draft()
    assert set(listed()) == {event.pk}

    publish_event(event_id=draft.pk, actor=draft.organizer, now=NOW)
    assert set(listed()) == {event.pk, draft.pk}

    update_event(event_id=event.pk, changes={"title": "Renamed"}, actor=event.organizer, now=NOW)
    assert listed()[event.pk]["title"] == "Renamed"


def test_organizers_are_never_answered_from_what_was_kept() -> None:
    """Their list has their drafts in it, and nobody else's has."""
    draft = a_draft()
    organizer, attendee = APIClient(), APIClient()
    organizer.force_authenticate(draft.organizer)
    attendee.force_authenticate(a_user())

    assert set(listed(organizer)) == {draft.pk}
    assert listed() == listed(attendee) == {}


def test_every_query_is_kept_by_itself() -> None:
    early, late = an_event(title="Alpha"), an_event(title="Beta")
    client = APIClient()

    for query, expected in {"?search=alpha": [early.pk], "?search=beta": [late.pk], "?page_size=1": [early.pk]}.items():
        for _ in range(2):
            assert [event["id"] for event in client.get(f"/api/events/{query}").json()["results"]] == expected


def test_what_the_client_has_is_not_sent_again() -> None:
    an_event()
    first = APIClient().get("/api/events/")

    again = APIClient().get("/api/events/", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_without_redis_everything_is_made_anew() -> None:
    event = an_event()
    listed()
    Event.objects.filter(pk=event.pk).update(title="Changed behind its back")

    def unreachable() -> None:
        raise ConnectionError("no Redis")

    with pytest.raises(RedisUnavailableError):
        circuit.call(unreachable)
    try:
        assert listed()[event.pk]["title"] == "Changed behind its back"
    finally:
        circuit.reset()
