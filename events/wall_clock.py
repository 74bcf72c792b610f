"""Times as the clocks on the wall show them: what moves from March to April keeps its 10:00."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Shift(NamedTuple):
    """A way from some times to others, as far as clocks tell: they may be those of two zones."""

    distance: timedelta
    before: ZoneInfo
    after: ZoneInfo

    @classmethod
    def between(cls, old: datetime, new: datetime, before: str, after: str) -> "Shift":
        """Return the way from a moment in the zone ``before`` to a moment in the zone ``after``."""
        zones = ZoneInfo(before), ZoneInfo(after)
        return cls(shown(new, zones[1]) - shown(old, zones[0]), *zones)

    def __call__(self, moment: datetime) -> datetime:
        """Return a moment moved that way. A time that the clocks skip on its new day comes after the gap."""
        return (shown(moment, self.before) + self.distance).replace(tzinfo=self.after).astimezone(UTC)


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks show, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def span_text(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """Return a span of time in plain words, such as ``Mon 1 March 2027, 18:00 to 21:00``."""
    start, end = (shown(moment, ZoneInfo(zone)) for moment in (starts_at, ends_at))
    day = "" if start.date() == end.date() else f"{end:%a} {end.day} {end:%B %Y}, "
    return f"{start:%a} {start.day} {start:%B %Y}, {start:%H:%M} to {day}{end:%H:%M}"
