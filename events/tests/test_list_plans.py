"""At 100,000 events, every filter, order and search of the list is answered from an index.

``EVENTHUB_TEST_EVENTS=1000000 make test ARGS=events/tests/test_list_plans.py`` asks the same of a million.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from events.models import Event, EventSearch, EventSlug, SearchWord, TicketType
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, an_organizer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is not for a hundred thousand events"),
]
HOW_MANY = int(os.environ.get("EVENTHUB_TEST_EVENTS", "100000"))
# A word of eight letters for every number, a hundred thousand different ones.
WORD = "translate(substr(md5(({n} %% 100000)::text), 1, 8), '0123456789', 'ghijklmnop')"
# Of those that a plan must not read from end to end.
LARGE = {Event._meta.db_table, EventSearch._meta.db_table, TicketType._meta.db_table, EventSlug._meta.db_table}

FILTERS = [
    "",
    "slug=many-777",
    "category=workshop",
    "category=meetup&city=town%2077",
    "status=published",
    "status=completed",
    "format=online",
    "organizer={organizer}",
    "city=TOWN%2077",
    "country=NO",
    "language=sv",
    "currency=SEK&price_min=10&price_max=20",
    "price_max=2",
    "price_min=99",
    "is_free=true",
    "is_free=false",
    "is_bookable=true",
    "rating_min=4.9",
    "skill=Skill%2042",
    "starts_after=2027-06-01T00:00:00Z&starts_before=2027-06-02T00:00:00Z",
    "ends_after=2028-06-01T00:00:00Z",
    "search={word}",
    "search={misspelt}",
    "search={beginning}&category=workshop",
    "cursor=",
]
ORDERS = ["starts_at", "ends_at", "created_at", "title", "price", "average_rating"]
# Seats left and sales windows are in no index: what can be booked is counted past ten thousand by reading everything,
# once in ten seconds (`shared/paging.py`). Nor would an index help to count nearly all that there is.
COUNTED_BY_READING = {"is_bookable=true", "status=published"}


@pytest.fixture(scope="module")
def crowd(django_db_setup: Any, django_db_blocker: Any) -> Iterator[CustomUser]:
    """Many events, copied from one by the database itself; yields an organizer.

    Committed and vacuumed, as they would be after some days: before, no plan can trust an index alone.
    """
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is not for a hundred thousand events")
    with django_db_blocker.unblock():
        try:
            yield _make_crowd()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE events_event, users_customuser CASCADE")


@pytest.fixture(autouse=True)
def nothing_kept(settings: Any) -> None:
    settings.LIST_CACHE_SECONDS = 0


@pytest.mark.parametrize("query", [*FILTERS, *(f"ordering={sign}{name}" for name in ORDERS for sign in ("", "-"))])
@pytest.mark.parametrize("who", ["anybody", "organizer"])
def test_is_read_from_an_index(crowd: CustomUser, query: str, who: str) -> None:
    """EVT-8."""
    client = APIClient() if who == "anybody" else a_client_of(crowd)

    word = _word(776)
    asked_for = {"word": word, "misspelt": word[:3] + word[4] + word[3] + word[5:], "beginning": word[:3]}

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"/api/events/?{query.format(organizer=crowd.pk, **asked_for)}")

    assert answer.status_code == 200
    assert answer.json()["results"]
    plans = [
        (sql, _plan_of(sql)) for sql in (entry["sql"] for entry in asked.captured_queries) if _is_about_events(sql)
    ]
    assert plans
    for sql, plan in plans:
        if query in COUNTED_BY_READING and sql.startswith("SELECT COUNT(*)"):
            continue
        read_whole = [node for node in _nodes(plan) if node["Node Type"] == "Seq Scan"]
        assert not [node for node in read_whole if node["Relation Name"] in LARGE], (
            f"{sql}\n{json.dumps(plan, indent=1)}"
        )


def test_a_list_without_its_index_would_be_noticed(crowd: CustomUser) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT with_index")
        cursor.execute("DROP INDEX events_by_city")
        plan = _plan_of("SELECT id FROM events_event WHERE upper(city) = 'NOWHERE' ORDER BY starts_at, id LIMIT 20")
        cursor.execute("ROLLBACK TO SAVEPOINT with_index")

    assert [node for node in _nodes(plan) if node.get("Relation Name") == "events_event"]
    assert not [node for node in _nodes(plan) if node.get("Index Name") == "events_by_city"]


def _make_crowd() -> CustomUser:
    event = an_event(title="Template", organizer=an_organizer(), now=NOW)
    columns = {
        "slug": "'many-' || n",
        "organizer_id": "CASE WHEN n %% 1000 = 0 THEN organizer_id ELSE other END",
        "title": f"'Event ' || {WORD.format(n='n')}",
        "category": "(ARRAY['workshop','webinar','conference','master_class','meetup','training'])[1 + n %% 6]",
        "status": "CASE WHEN n %% 50 = 0 THEN 'completed' ELSE 'published' END",
        "format": "(ARRAY['in_person','online','hybrid'])[1 + n %% 3]",
        "language": "(ARRAY['en','en','en','de','sv'])[1 + n %% 5]",
        "country": "(ARRAY['DE','DE','GB','NO','SE'])[1 + n %% 5]",
        "city": "'Town ' || (n %% 397)",
        "starts_at": "starts_at + n * interval '7 minutes'",
        "ends_at": "ends_at + n * interval '7 minutes'",
        "currency": "(ARRAY['EUR','EUR','GBP','SEK'])[1 + n %% 4]",
        "lowest_price": "(n %% 100)",
        "average_rating": "CASE WHEN n %% 10 = 0 THEN 1 + (n %% 41) / 10.0 END",
        "review_count": "CASE WHEN n %% 10 = 0 THEN 3 ELSE 0 END",
        "created_at": "created_at + n * interval '1 second'",
    }
    with connection.cursor() as cursor:
        _copy(cursor, event, columns, other=an_organizer())
        for statement in _WHAT_BELONGS_TO_THEM:
            cursor.execute(statement)
        _copy_ticket_type(cursor, TicketType.objects.get(event=event))
        cursor.execute(f"VACUUM ANALYZE {', '.join(sorted(LARGE))}, {SearchWord._meta.db_table}")
    return event.organizer


_WHAT_BELONGS_TO_THEM = (
    """
    INSERT INTO events_eventslug (slug, event_id)
    SELECT slug, id FROM events_event WHERE title LIKE 'Event %' ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO events_eventsearch (event_id, words, vector)
    SELECT id, ' ', (
        '''event'':1A ''' || lower(split_part(title, ' ', 2)) || ''':2A ''=skill_' || (id % 500) || ''':3D'
    )::tsvector
    FROM events_event WHERE title LIKE 'Event %' ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO events_searchword
    SELECT lower(split_part(title, ' ', 2)) FROM events_event WHERE title LIKE 'Event %' ON CONFLICT DO NOTHING
    """,
)


def _copy(cursor: Any, event: Event, columns: dict[str, str], *, other: CustomUser) -> None:
    names = [str(field.column) for field in Event._meta.concrete_fields if field.column != "id"]
    cursor.execute(
        f"INSERT INTO events_event ({', '.join(names)}) SELECT {', '.join(columns.get(name, name) for name in names)}"
        f" FROM (SELECT *, {other.pk} AS other FROM events_event WHERE id = {event.pk}) template,"
        f" generate_series(1, {HOW_MANY}) n",
        [],  # as there are doubled signs of per cent in it
    )


def _copy_ticket_type(cursor: Any, kind: TicketType) -> None:
    own = {"id", "event_id"}
    names = ", ".join(field.column for field in TicketType._meta.concrete_fields if field.column not in own)
    cursor.execute(
        f"INSERT INTO events_tickettype ({names}, event_id) SELECT {names}, id_of_it FROM events_tickettype template,"
        " (SELECT id AS id_of_it FROM events_event) many WHERE template.id = %s AND id_of_it <> event_id",
        [kind.pk],
    )


def _word(number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + WORD.format(n=number), [])
        found: str = cursor.fetchone()[0]
        return found


def _is_about_events(sql: str) -> bool:
    return sql.startswith("SELECT") and any(table in sql for table in LARGE)


def _plan_of(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%") if "%" in sql else "EXPLAIN (FORMAT JSON) " + sql
        )
        plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
        return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
