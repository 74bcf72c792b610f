"""Ten thousand people at one door, beside as many of other events: what it costs, in statements and in milliseconds.

``pytest -s`` shows the figures. The statements are pinned; the milliseconds are of the machine it runs on.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import close_doors
from bookings.services.door import SCANS_AT_ONCE
from bookings.services.no_shows import BOOKINGS_AT_ONCE
from bookings.tests.factories import many_bookings
from events.models import Event
from events.tests.factories import an_event
from users.tests.factories import a_client_of

pytestmark = pytest.mark.django_db
TICKETS, SEATS = 10_000, 4
# One level of savepoint, which a transaction within a test's own is.
SAVEPOINT = 2


class Stopwatch:
    """Measures what a client's requests take inside the application, without the tests' own look at the answers."""

    def __init__(self, client: APIClient) -> None:
        self.took: list[float] = []
        self._handler: Callable[..., Any] = client.handler
        client.handler = self  # type: ignore[assignment]

    def __call__(self, environ: Any) -> Any:
        began = time.perf_counter()
        response = self._handler(environ)
        self.took.append((time.perf_counter() - began) * 1000)
        return response

    def told(self, what: str) -> str:
        took, self.took = sorted(self.took), []
        return f"{what}: median {median(took):.1f} ms, slowest of {len(took)} {took[-1]:.1f} ms"


def statements(ask: Callable[[], Any]) -> tuple[int, Any]:
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    assert answer.status_code == 200, answer.content[:500]
    return len(captured), answer


def test_are_listed_let_in_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    """BKG-6: in one process, its database beside it."""
    event = an_event(now=timezone.now())
    many_bookings(event, TICKETS // SEATS, seats=SEATS)
    many_bookings(an_event(), TICKETS // SEATS, seats=SEATS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    codes = list(Ticket.objects.filter(event=event).order_by("pk").values_list("code", flat=True))
    client = a_client_of(event.organizer)
    watch, told = Stopwatch(client), []
    door, check_in = f"/api/events/{event.pk}/door/", f"/api/events/{event.pk}/check_in/"
    client.get(f"{door}?ticket_type=1")  # what the first request of a process does besides

    # The list: who asks, the event, its ticket types, its tickets.
    watch.took = []
    asked, answer = statements(lambda: client.get(door))
    token = answer.json()["changed_since"]
    assert (asked, len(answer.json()["tickets"]), answer.json()["next_after"]) == (4, TICKETS, None)
    told.append(f"{watch.told('all tickets')}, {len(answer.content) / 1024:.0f} KiB")
    for query, rows in (("search=guest+17+2", 37), ("after=999999999", 0), (f"changed_since={token}", TICKETS)):
        asked, answer = statements(lambda query=query: client.get(f"{door}?{query}"))
        assert asked == 4
        assert rows <= len(answer.json()["tickets"]) <= TICKETS
        told.append(watch.told(query.partition("=")[0]))

    # One by one: who asks, the event, the ticket with its booking, its new state, its history.
    for code in codes[:200]:
        asked, _ = statements(lambda code=code: client.post(check_in, {"code": code}, format="json"))
        assert asked == 5 + SAVEPOINT
    told.append(watch.told("check-in"))

    # From a device that was offline: a thousand in as many statements as there are transactions.
    now = timezone.now().isoformat()
    scans = [{"scan_id": code, "code": code, "scanned_at": now} for code in codes[100:1100]]
    asked, answer = statements(lambda: client.post(f"/api/events/{event.pk}/scans/", {"scans": scans}, format="json"))
    assert asked <= 2 + 1000 // SCANS_AT_ONCE * (6 + 2 * SAVEPOINT)
    assert (answer.json()["checked_in"], answer.json()["refused"]) == (900, 100)
    told.append(watch.told("a thousand scans"))

    # Closed after the end: some bookings at a time.
    end = timezone.now()
    Event.objects.filter(pk=event.pk).update(starts_at=end - timedelta(hours=2), ends_at=end - timedelta(hours=1))
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        closed = close_doors(event_id=event.pk, actor=event.organizer, now=end)
    came = -(-1100 // SEATS)
    assert closed == Booking.objects.filter(event=event, status="no_show").count() == TICKETS // SEATS - came
    # The event; then per transaction: locked bookings, who came, state, history; and one that finds no more.
    assert len(captured) <= 1 + (closed // BOOKINGS_AT_ONCE + 1) * (4 + SAVEPOINT) + 1 + SAVEPOINT
    told.append(f"the doors closed on {closed} bookings: {(time.perf_counter() - began) * 1000:.0f} ms")

    with capsys.disabled():
        print(f"\n{TICKETS} tickets on {connection.vendor}:", *told, sep="\n  ")  # noqa: T201
