"""The rules of booking stand twice: in Python to tell the reason, in SQL to hold under concurrency. They agree."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from eventhub_config.shared.errors import DomainError
from events.availability import why_refused
from events.models import Event, TicketType
from events.services import read_offer, take_seats
from events.services.seats import _take
from events.tests.factories import NOW, START, an_event

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("status", ["draft", "published", "ongoing", "completed", "cancelled"])
@pytest.mark.parametrize("deadline", [None, START - timedelta(days=1)])
def test_on_state_and_deadline(status: str, deadline: datetime | None) -> None:
    event = an_event(registration_deadline=deadline)
    Event.objects.filter(pk=event.pk).update(status=status, published_at=None if status == "draft" else NOW)
    kind = TicketType.objects.get(event=event)
    closes = deadline or START

    for now in (NOW, closes - SECOND, closes, closes + SECOND):
        offer = read_offer(event.pk)
        assert _take(offer, {kind.pk: 1}, now) == (why_refused(offer, {kind.pk: 1}, now) is None), (status, now)


@pytest.mark.parametrize(("capacity", "quantity"), list(product([None, 0, 1, 3], repeat=2)))
def test_on_seats_that_are_left(capacity: int | None, quantity: int | None) -> None:
    event = an_event(capacity=capacity, ticket_types=[{"name": "A", "quantity": quantity}, {"name": "B"}])
    first, second = TicketType.objects.in_order().filter(event=event)

    for wanted in ({first.pk: 1}, {first.pk: 1, second.pk: 1}, {second.pk: 1}, {first.pk: 2}):
        before = read_offer(event.pk)
        took = _take(before, wanted, NOW)
        after = read_offer(event.pk)
        seats = sum(wanted.values()) if took else 0
        assert took == (why_refused(before, wanted, NOW) is None), wanted
        assert after.event.seats_taken == before.event.seats_taken + seats
        assert after.event.seats_taken == sum(kind.seats_taken for kind in after.types.values())


@pytest.mark.parametrize("start", [None, NOW - SECOND, NOW, NOW + SECOND])
@pytest.mark.parametrize("end", [None, NOW, NOW + 2 * SECOND])
@pytest.mark.parametrize("waiting", [0, 1])
def test_on_sales_windows_and_waiting_people(start: object, end: object, waiting: int) -> None:
    is_a_window = not (start and end) or start < end  # type: ignore[operator]
    window = {"sales_start_at": start if is_a_window else None, "sales_end_at": end}
    event = an_event(ticket_types=[{"name": "A", **window}])
    TicketType.objects.filter(event=event).update(waiting_count=waiting)
    offer = read_offer(event.pk)
    wanted = dict.fromkeys(offer.types, 1)

    assert _take(offer, wanted, NOW) == (why_refused(offer, wanted, NOW) is None)


def test_an_offer_that_was_edited_meanwhile_is_read_again() -> None:
    event = an_event(price=5)
    stale = read_offer(event.pk)
    wanted = dict.fromkeys(stale.types, 1)
    Event.objects.filter(pk=event.pk).update(version=event.version + 1, title="Renamed")
    assert not _take(stale, wanted, NOW)

    take_seats(stale, wanted, now=NOW)

    assert Event.objects.get(pk=event.pk).seats_taken == 1


@pytest.mark.parametrize(
    ("of_type", "of_event"),
    [({"price": 6}, {}), ({"is_visible": False}, {}), ({}, {"tax_rate": 19}), ({}, {"city": "Hamburg"})],
)
def test_an_offer_whose_terms_changed_meanwhile_is_refused(of_type: dict[str, Any], of_event: dict[str, Any]) -> None:
    event = an_event(price=5)
    stale = read_offer(event.pk)
    wanted = dict.fromkeys(stale.types, 1)
    TicketType.objects.filter(event=event).update(event=event, **of_type)
    Event.objects.filter(pk=event.pk).update(version=event.version + 1, **of_event)

    with pytest.raises(DomainError) as refusal:
        take_seats(stale, wanted, now=NOW)

    assert refusal.value.code == "event_changed"
    assert Event.objects.get(pk=event.pk).seats_taken == 0
