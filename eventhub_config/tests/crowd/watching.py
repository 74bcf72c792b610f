"""Looks at the rows while a crowd is at work: what a reader could see between any two commits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

# One statement, so one moment.
SEEN = """
SELECT e.id, e.status, e.capacity, e.seats_taken, k.id, k.quantity, k.seats_taken, k.waiting_count,
       (SELECT COUNT(*) FROM bookings_booking b JOIN bookings_ticket t ON t.booking_id = b.id
         WHERE b.event_id = e.id AND b.status IN ('pending', 'confirmed', 'no_show')
           AND t.ticket_type_id = k.id AND t.status <> 'cancelled'),
       (SELECT COALESCE(SUM(w.seats), 0) FROM bookings_waitlist w
         WHERE w.event_id = e.id AND w.ticket_type_id = k.id AND w.status = 'offered'),
       (SELECT COUNT(*) FROM bookings_waitlist w WHERE w.ticket_type_id = k.id AND w.status = 'waiting'),
       (SELECT w.seats FROM bookings_waitlist w WHERE w.ticket_type_id = k.id AND w.status = 'waiting'
         ORDER BY w.id LIMIT 1),
       (SELECT COUNT(*) FROM bookings_waitlist w WHERE w.ticket_type_id = k.id AND w.status = 'waiting'
           AND w.passed_over_at IS NULL
           AND EXISTS (SELECT 1 FROM bookings_waitlist o
                        WHERE o.ticket_type_id = k.id AND o.id > w.id AND o.offered_at IS NOT NULL)),
       (SELECT MIN(b.expires_at) FROM bookings_booking b WHERE b.event_id = e.id AND b.status = 'pending'),
       (SELECT MIN(w.offer_expires_at) FROM bookings_waitlist w
         WHERE w.event_id = e.id AND w.ticket_type_id = k.id AND w.status = 'offered')
  FROM events_tickettype k JOIN events_event e ON e.id = k.event_id ORDER BY e.id, k.id
"""


class Kind(NamedTuple):
    """A ticket type with its event and its queue, at one moment."""

    event: int
    status: str
    capacity: int | None
    event_taken: int
    pk: int
    quantity: int | None
    taken: int
    waiting_count: int
    tickets: int
    offered: int
    waiting: int
    first_party: int | None
    overtaken: int
    first_hold_ends: Any
    first_offer_ends: Any

    @property
    def left(self) -> int:
        counts = [
            limit - taken
            for limit, taken in ((self.capacity, self.event_taken), (self.quantity, self.taken))
            if limit is not None
        ]
        return min(counts, default=2**31)

    @property
    def seats_are_idle(self) -> bool:
        """Return whether there are seats for those who are first in the queue, and nobody offers them."""
        return self.status == "published" and self.first_party is not None and self.first_party <= self.left


def look() -> list[Kind]:
    with connection.cursor() as cursor:
        cursor.execute(SEEN)
        return [Kind(*row) for row in cursor.fetchall()]


@dataclass
class Watch:
    """Everything that was seen to be wrong, and how long seats lay idle while somebody waited for them."""

    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    longest_idle: float = 0.0
    longest_overdue: float = 0.0
    longest_queue: int = 0
    _idle_since: dict[int, float] = field(default_factory=dict)

    def act(self) -> None:
        kinds, now = look(), time.monotonic()
        self.looks += 1
        for kind in kinds:
            self._judge(kind)
            self._time(kind, now)
        by_event: dict[int, list[Kind]] = {}
        for kind in kinds:
            by_event.setdefault(kind.event, []).append(kind)
        for event, of_event in by_event.items():
            held = sum(kind.tickets + kind.offered for kind in of_event)
            if held != of_event[0].event_taken:
                self.wrong.append(f"event {event} counts {of_event[0].event_taken} seats, {held} are held")

    def _judge(self, kind: Kind) -> None:
        if kind.left < 0:
            self.wrong.append(f"type {kind.pk}: oversold by {-kind.left}")
        if kind.taken != kind.tickets + kind.offered:
            self.wrong.append(f"type {kind.pk} counts {kind.taken}: {kind.tickets} tickets, {kind.offered} offered")
        if kind.waiting != kind.waiting_count:
            self.wrong.append(f"type {kind.pk} counts {kind.waiting_count} waiting, {kind.waiting} are")
        if kind.overtaken:
            self.wrong.append(f"type {kind.pk}: {kind.overtaken} waiting were overtaken")

    def _time(self, kind: Kind, now: float) -> None:
        self.longest_queue = max(self.longest_queue, kind.waiting)
        if kind.seats_are_idle:
            since = self._idle_since.setdefault(kind.pk, now)
            self.longest_idle = max(self.longest_idle, now - since)
        else:
            self._idle_since.pop(kind.pk, None)
        if kind.status == "published":
            for deadline in (kind.first_hold_ends, kind.first_offer_ends):
                if deadline is not None:
                    late = (timezone.now() - _moment(deadline)).total_seconds()
                    self.longest_overdue = max(self.longest_overdue, late)

    def figures(self) -> str:
        return (
            f"longest queue {self.longest_queue}, seats idle for {self.longest_idle:.1f} s at most, "
            f"overdue for {self.longest_overdue:.1f} s"
        )


def _moment(value: Any) -> datetime:
    """SQLite gives raw SQL its text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    found: datetime = value if value.tzinfo else timezone.make_aware(value, timezone.get_default_timezone())
    return found
