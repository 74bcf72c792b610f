"""Pages with a count, and cursors that miss and double nothing while rows come and go."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from eventhub_config.shared import paging
from eventhub_config.shared.models import RateLimitCounter
from eventhub_config.shared.paging import bounded_count
from events.models import Event
from events.services import delete_draft
from events.tests.factories import a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client, a_client_of, an_organizer

pytestmark = pytest.mark.django_db


def ids(body: dict[str, Any]) -> list[int]:
    return [row["id"] for row in body["results"]]


def many_events(count: int) -> list[int]:
    """Make published events that begin in the order of their ids; return their ids."""
    organizer, now = an_organizer(), timezone.now()
    return [an_event(organizer=organizer, now=now, starts_at=_start(number)).pk for number in range(count)]


def _start(number: int) -> Any:
    return timezone.now() + timedelta(days=30, hours=number)


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_a_list_without_rows_has_one_page() -> None:
    answer = a_client().get("/api/events/")

    assert answer.json() == {"count": 0, "count_is_exact": True, "next": None, "previous": None, "results": []}


def test_pages_follow_one_another() -> None:
    made = many_events(5)
    client = a_client()

    first = client.get("/api/events/?page_size=2&search=zero").json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()

    assert [ids(page) for page in (first, second, third)] == [made[:2], made[2:4], made[4:]]
    assert [page["count"] for page in (first, second, third)] == [5, 5, 5]
    assert first["previous"] is None
    assert client.get(second["previous"]).json() == first
    assert "search=zero" in second["next"]
    assert third["next"] is None


@pytest.mark.parametrize(("rows", "more"), [(1, False), (2, False), (3, True)])
def test_a_full_page_knows_whether_there_is_another(rows: int, more: bool) -> None:
    many_events(rows)

    body = a_client().get("/api/events/", {"page_size": 2}).json()

    assert bool(body["next"]) is more
    assert body["count"] == rows


def test_a_page_has_twenty_unless_told_otherwise() -> None:
    many_events(21)

    assert len(ids(a_client().get("/api/events/").json())) == 20
    assert len(ids(a_client().get("/api/events/", {"page_size": 100}).json())) == 21


@pytest.mark.parametrize("ordering", ["title", "-title", "created_at"])
def test_rows_that_are_alike_have_an_order_all_the_same(ordering: str) -> None:
    """RELIABILITY I4: they all have one title; without a tie-break, pages would repeat some and miss others."""
    made = many_events(5)
    Event.objects.update(created_at=timezone.now())
    client = a_client()

    pages = [client.get(f"/api/events/?page_size=1&ordering={ordering}&page={number}") for number in range(1, 6)]
    found = [ids(page.json()) for page in pages]

    assert found == [[pk] for pk in (reversed(made) if ordering.startswith("-") else made)]


@pytest.mark.parametrize("parameters", [{}, {"cursor": ""}], ids=["page", "cursor"])
def test_more_rows_take_no_more_statements(parameters: dict[str, str]) -> None:
    client = a_client()
    many_events(2)
    few = _statements(client, parameters)
    many_events(8)

    assert _statements(client, parameters) == few


def _statements(client: APIClient, parameters: dict[str, str]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as counted:
        client.get("/api/events/", parameters)
    return len(counted)


# --- Counts -----------------------------------------------------------------------------------------------------------


def test_a_count_is_exact_up_to_its_limit_and_then_kept_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNT_EXACTLY_TO", 3)
    rows = RateLimitCounter.objects.order_by("pk")
    counts = []
    for number in range(6):
        RateLimitCounter.objects.create(key=str(number), count=0, expires_at=timezone.now())
        counts.append(bounded_count(rows))

    # From the fourth on it is counted once and kept.
    assert counts == [(1, True), (2, True), (3, True), (4, False), (4, False), (4, False)]
    assert bounded_count(rows.filter(key="0")) == (1, True)


def test_a_kept_count_is_of_that_very_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNT_EXACTLY_TO", 0)
    for number in range(3):
        RateLimitCounter.objects.create(key=str(number), count=number % 2, expires_at=timezone.now())

    assert bounded_count(RateLimitCounter.objects.filter(count=0)) == (2, False)
    assert bounded_count(RateLimitCounter.objects.filter(count=1)) == (1, False)


# --- Cursors ----------------------------------------------------------------------------------------------------------


def walk(client: APIClient, url: str, meanwhile: Callable[[int], None] | None = None) -> list[int]:
    """Follow a list from its beginning to its end; return the ids as they came."""
    found: list[int] = []
    link: str | None = f"{url}&cursor="
    page = 0
    while link:
        answer = client.get(link)
        assert answer.status_code == 200
        assert set(answer.json()) == {"next", "previous", "results"}
        found += ids(answer.json())
        link = answer.json()["next"]
        page += 1
        if meanwhile:
            meanwhile(page)
    return found


def test_a_walk_sees_everything_once_in_the_order_of_ids() -> None:
    made = many_events(7)

    assert walk(a_client(), "/api/events/?page_size=3") == made
    assert walk(a_client(), "/api/events/?page_size=7") == made


def test_a_walk_misses_and_doubles_nothing_while_rows_come_and_go() -> None:
    """ARCHITECTURE 3: whatever was there all along comes exactly once."""
    organizer = an_organizer()
    drafts = [a_draft(organizer=organizer, now=timezone.now()).pk for _ in range(12)]
    gone: set[int] = set()

    def come_and_go(page: int) -> None:
        a_draft(organizer=organizer, now=timezone.now(), title="A new one")
        for pk in (drafts[page - 1], drafts[-page]):  # one that was seen, and one that may not have been
            if pk not in gone and len(gone) < 6:
                delete_draft(event_id=pk, actor=organizer, now=timezone.now())
                gone.add(pk)

    found = walk(a_client_of(organizer), "/api/events/?page_size=2", come_and_go)

    assert len(gone) == 6
    assert len(found) == len(set(found))
    assert found == sorted(found)
    assert set(drafts) - gone <= set(found)


def test_a_walk_is_not_led_astray_by_edits() -> None:
    """By page, a row that moves to the front pushes another one over the edge, where nobody looks any more."""
    made = many_events(6)

    def move(page: int) -> None:
        Event.objects.filter(pk=made[-1]).update(starts_at=_start(-page), ends_at=_start(50))

    assert walk(a_client(), "/api/events/?page_size=2", move) == made


def test_a_walk_keeps_its_filters() -> None:
    mine, other = an_organizer(), an_organizer()
    made = [an_event(organizer=organizer, now=timezone.now()).pk for organizer in (mine, other, mine, other, mine)]

    assert walk(a_client(), f"/api/events/?page_size=1&organizer={mine.pk}") == made[::2]


@pytest.mark.parametrize("parameter", ["ordering=title", "page=1"])
def test_a_cursor_has_an_order_of_its_own(parameter: str) -> None:
    answer = a_client().get(f"/api/events/?cursor=&{parameter}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


def test_a_cursor_of_another_list_shows_nothing_hidden() -> None:
    """It is a place in the order of ids; what may be seen from there is decided anew."""
    organizer: CustomUser = an_organizer()
    for _ in range(3):
        a_draft(organizer=organizer, now=timezone.now())
    link = a_client_of(organizer).get("/api/events/?cursor=&page_size=1").json()["next"]

    assert a_client().get(link).json()["results"] == []
