"""Time zones as calendar files describe them: by the moments at which their clocks were or will be put on or back.

Calendar libraries do this too; the one we use says that clocks go forward an hour (in Lord Howe half an hour) later
than they do.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

# Names of Coordinated Universal Time: such times need no description.
_UTC = frozenset({"UTC", "UCT", "Universal", "Zulu", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"})
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


class Reading(NamedTuple):
    """How clocks of a zone relate to UTC for a while."""

    offset: timedelta
    summer: timedelta
    name: str


class Change(NamedTuple):
    """A moment at which the clocks of a zone begin to be read otherwise."""

    at: datetime
    before: Reading
    after: Reading


def zone_of(name: str) -> ZoneInfo:
    """Return the zone in which a calendar file writes an event's times."""
    return ZoneInfo("UTC" if name in _UTC else name)


def description_of(zone: ZoneInfo, spans: Iterable[tuple[datetime, datetime]]) -> Timezone | None:
    """Return a description of a zone that is right where these spans begin and end; None for UTC, which needs none."""
    if zone.key == "UTC":
        return None
    described = Timezone()
    described.add("tzid", zone.key)
    for change in _changes_around(zone, spans):
        part = TimezoneDaylight() if change.after.summer > timedelta(0) else TimezoneStandard()
        # Source: RFC 5545, section 3.6.5: the onset by the clocks as they were read before.
        part.DTSTART = (change.at + change.before.offset).replace(tzinfo=None)
        part.TZOFFSETFROM = change.before.offset
        part.TZOFFSETTO = change.after.offset
        part.add("tzname", change.after.name)
        described.add_component(part)
    return described


def _changes_around(zone: ZoneInfo, spans: Iterable[tuple[datetime, datetime]]) -> Iterator[Change]:
    """Yield the changes of the years in which a span begins or ends, and of one more on either side.

    What lies between is not asked for: no time of the file is there, and nobody says how long an event may last.
    """
    ends = (moment.year for span in spans for moment in span)
    years = sorted({year for end in ends for year in range(end - 1, end + 2)})
    # A year minus its place is the same for all years in a row.
    for _, block in groupby(enumerate(years), key=lambda pair: pair[1] - pair[0]):
        together = [year for _, year in block]
        begin = datetime(together[0], 1, 1, tzinfo=UTC)
        reading = _reading(zone, begin)
        yield Change(begin, reading, reading)
        for year in together:
            yield from _changes_in(zone, year)


@lru_cache(maxsize=4096)
def _changes_in(zone: ZoneInfo, year: int) -> list[Change]:
    """Return the changes of a year, looked for day by day: there are zones with four of them."""
    changes = []
    day, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    before = _reading(zone, day)
    while day < end:
        after = _reading(zone, day + _DAY)
        if after != before:
            changes.append(Change(_moment(zone, day, before), before, after))
        day, before = day + _DAY, after
    return changes


def _moment(zone: ZoneInfo, day: datetime, before: Reading) -> datetime:
    """Return the first second of the day after ``day`` began at which clocks are not read as before."""
    early, late = day, day + _DAY
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        early, late = (middle, late) if _reading(zone, middle) == before else (early, middle)
    return late


def _reading(zone: ZoneInfo, at: datetime) -> Reading:
    local = at.astimezone(zone)
    return Reading(local.utcoffset() or timedelta(0), local.dst() or timedelta(0), local.tzname() or zone.key)
