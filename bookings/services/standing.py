"""What one person has booked, holds and waits for: what every booking of theirs is decided by."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from bookings.models import Booking, Waitlist
from users.models import CustomUser


class Standing(NamedTuple):
    """What a person has already: a booking of this event or a place in its queue, and how many unpaid ones of any.

    ``pause`` is how long they book nothing that has a price, because too many unpaid bookings ran out.
    """

    booking: Booking | None = None
    open_holds: int = 0
    waits: bool = False
    pause: timedelta | None = None


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:")
# Plain SQL, like that of the seat engine and for the same reason. A place in the queue comes as a row too, told by its
# status: one statement for both.
_AS_A_BOOKING = {
    "id": "id", "event_id": "event_id", "reference": "''", "status": "status", "expires_at": "offer_expires_at",
}  # fmt: skip
_READ = [column.attname for column in Booking._meta.concrete_fields if column.attname in _AS_A_BOOKING]
_OTHER_BOOKINGS = f"""
SELECT {", ".join(_READ)} FROM {Booking._meta.db_table}
 WHERE user_id = %s AND (status = 'pending' OR event_id = %s AND status IN ('confirmed', 'no_show')
                          OR status = 'expired' AND expires_at > %s)
UNION ALL
SELECT {", ".join(_AS_A_BOOKING[name] for name in _READ)} FROM {Waitlist._meta.db_table}
 WHERE user_id = %s AND event_id = %s AND status IN ('waiting', 'offered')
"""  # noqa: S608 (our own names)


def read_standing(user: CustomUser, event_id: int, *, now: datetime, by_clock: bool = False) -> Standing:
    """Return what a person has booked that bears on booking this event, as it stands, unlocked.

    ``by_clock``: as if holds that have run out were closed already.
    """
    window = timedelta(minutes=settings.EXPIRED_HOLDS_WINDOW_MINUTES)
    since = connection.ops.adapt_datetimefield_value(now - window)
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_BOOKINGS, [user.pk, event_id, since, user.pk, event_id])
        kept = cursor.fetchall()
    if not kept:  # nothing stands in most people's way
        return Standing()
    rows = [Booking.from_db(connection.alias, _READ, [_plain(value) for value in row]) for row in kept]
    found = [row for row in rows if row.status not in Waitlist.ACTIVE]
    waits = any(row.status in Waitlist.ACTIVE and not (by_clock and _has_lapsed(row, now)) for row in rows)
    ran_out = [row for row in found if row.status == Booking.Status.EXPIRED or row.is_overdue(now)]
    counting = [row.expires_at + window - now for row in ran_out if row.expires_at]
    expired = ran_out if by_clock else [row for row in ran_out if row.status == Booking.Status.EXPIRED]
    found = [row for row in found if row not in expired]
    return Standing(
        booking=next((booking for booking in found if booking.event_id == event_id), None),
        open_holds=sum(booking.status == Booking.Status.PENDING for booking in found),
        waits=waits,
        pause=_pause([left for left in counting if left > timedelta(0)]),
    )


def _plain(kept: Any) -> Any:
    """Return a value of a plain statement as models have it: SQLite has no zones, and its moments may come as text."""
    if isinstance(kept, str) and _MOMENT.match(kept):
        kept = datetime.fromisoformat(kept)
    return kept.replace(tzinfo=UTC) if isinstance(kept, datetime) and kept.tzinfo is None else kept


def _has_lapsed(row: Booking, now: datetime) -> bool:
    """Return whether a row that stands for a place in the queue is an offer that has run out."""
    return row.status == Waitlist.Status.OFFERED and row.expires_at is not None and row.expires_at <= now


def _pause(left: list[timedelta]) -> timedelta | None:
    """Return how long somebody has to wait, given for how long each booking that ran out still counts."""
    if len(left) < settings.EXPIRED_HOLDS_ALLOWED:
        return None
    return sorted(left, reverse=True)[settings.EXPIRED_HOLDS_ALLOWED - 1]
