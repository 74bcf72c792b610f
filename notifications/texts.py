"""How values are written in messages."""

import unicodedata
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date

from eventhub_config.shared import money
from events.models import Event

# Control characters and line breaks forge headers of mails; NUL and lone surrogates cannot be stored at all.
_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def single_line(text: str) -> str:
    """Return the text in one line, without control characters."""
    return " ".join("".join(" " if unicodedata.category(c) in _UNWANTED else c for c in text).split())


def price(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency, such as ``25.00 EUR``."""
    return f"{money.as_text(amount, currency)} {currency}"


def seats(count: int) -> str:
    """Return how many seats in words: ``a seat`` or ``3 seats``."""
    return "a seat" if count == 1 else f"{count} seats"


def duration(time: timedelta) -> str:
    """Return a time to act in words, such as ``3 days``, ``1 hour`` or ``90 minutes``."""
    minutes = int(time.total_seconds()) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        # One day reads better as hours.
        if minutes % size == 0 and (minutes > size or size <= 60):
            return f"{minutes // size} {unit}{'' if minutes == size else 's'}"
    return f"{minutes} minutes"


def masked(email: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: ``a…@e….com``."""
    local, _, domain = email.rpartition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{ending}"


def local_moment(at: datetime, zone: str) -> str:
    """Return a moment by a clock in that zone, such as ``Mon 1 March 2027, 18:00 (Europe/Berlin, UTC+01:00)``."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_day_and_time(local)} ({_zone(local, zone)})"


def local_span(event: Event) -> str:
    """Return when an event takes place, in its own zone; the end without its day if that is the same."""
    zone = ZoneInfo(event.timezone)
    start, end = event.starts_at.astimezone(zone), event.ends_at.astimezone(zone)
    until = f"{end:%H:%M}" if start.date() == end.date() else _day_and_time(end)
    return f"{_day_and_time(start)} to {until} ({_zone(start, event.timezone)})"


def place(event: Event) -> str:
    """Return where an event takes place, as far as it says."""
    address = [event.venue_name, event.address, event.city]
    where = ", ".join(single_line(part) for part in address if part)
    if event.format == Event.Format.ONLINE:
        return "Online"
    return f"{where or 'See the event'} and online" if event.format == Event.Format.HYBRID else where


def _day_and_time(local: datetime) -> str:
    return f"{format_date(local, 'D j F Y')}, {local:%H:%M}"


def _zone(local: datetime, name: str) -> str:
    return "UTC" if name == "UTC" else f"{name}, UTC{local.isoformat(timespec='minutes')[-6:]}"
