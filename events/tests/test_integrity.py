"""``check_integrity`` finds what is wrong with events, and nothing where nothing is."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection

from events.integrity import CHECKS
from events.models import Event, EventSearch, EventSlug, TicketType
from events.tests.factories import an_event

pytestmark = pytest.mark.django_db


def found() -> dict[str, int]:
    """Return how much each check finds, where it finds anything."""
    counts = {check.name: len(list(check.findings())) for check in CHECKS}
    return {name: count for name, count in counts.items() if count}


def _no_document(event: Event) -> None:
    EventSearch.objects.filter(event=event).delete()


def _other_words(event: Event) -> None:
    EventSearch.objects.filter(event=event).update(words=" something else ")


def _renamed_past_the_services(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(title="Renamed")


def _price_past_the_services(event: Event) -> None:
    TicketType.objects.filter(event=event).update(price=Decimal(7))


def _no_slug(event: Event) -> None:
    EventSlug.objects.filter(event=event).delete()


@pytest.mark.parametrize(
    ("corrupt", "check"),
    [
        (_no_document, "search"),
        (_other_words, "search"),
        (_renamed_past_the_services, "search"),
        (_price_past_the_services, "lowest_price"),
        (_no_slug, "slugs"),
    ],
)
def test_finds(corrupt: Callable[[Event], None], check: str) -> None:
    """OPS-6."""
    event = an_event()
    an_event(title="Untouched", skills=["Weaving"], description="As it was.")
    assert found() == {}

    corrupt(event)

    assert found() == {check: 1}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has the words only")
def test_the_vector_holds_the_same_words() -> None:
    """What PostgreSQL searches is written beside what the check compares."""
    event = an_event(title="Weaving & Dyeing", skills=["Double weave"])

    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(vector) FROM events_eventsearch WHERE event_id = %s", [event.pk])
        words = cursor.fetchone()[0]

    assert sorted(words) == sorted(EventSearch.objects.get(event=event).words.split())
