"""Events as calendar files (RFC 5545, RFC 5546), for one event and for all of an organizer."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, vCalAddress
from icalendar import Event as Entry
from icalendar.prop import vInline

from events.calendar_zones import description_of, zone_of
from events.models import Event
from users.models import CustomUser

PUBLISH, CANCEL = "PUBLISH", "CANCEL"
PRODUCT = "-//Event Hub//Event Hub//EN"
SHOWN_AFTER_THE_END = timedelta(days=90)
MOST_EVENTS = 200
DESCRIPTION_LENGTH = 500  # characters, in a calendar of many events
REFRESH = timedelta(hours=6)

_STATUS = {Event.Status.DRAFT: "TENTATIVE", Event.Status.CANCELLED: "CANCELLED"}
# What Python and others take for the end of a line; the format knows one kind.
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


class Own(NamedTuple):
    """What makes an event's entry that of one person: ``key`` names it, ``note`` stands first in its description."""

    key: str
    note: str
    is_cancelled: bool
    changed_at: datetime
    is_pending: bool = False

    @property
    def method(self) -> str:
        return CANCEL if self.is_cancelled else PUBLISH


def calendar_of(event: Event, own: Own | None = None) -> bytes:
    """Return a calendar file with one event. It never holds the online link: whoever has the file may hand it on.

    An ``own`` entry has a life of its own: one that is cancelled leaves the person's calendar while the event goes on.
    """
    return _written(_calendar([event], own=own))


def calendar_of_organizer(organizer: CustomUser, *, now: datetime) -> bytes:
    """Return a calendar file with the events of an organizer that everybody may see, to be fetched again and again.

    It begins with those that ended ``SHOWN_AFTER_THE_END`` ago, so that a cancellation still reaches calendars.
    """
    events = Event.objects.filter(organizer=organizer, published_at__isnull=False)
    recent = events.filter(ends_at__gt=now - SHOWN_AFTER_THE_END).order_by("starts_at", "pk")[:MOST_EVENTS]
    for event in recent:
        event.organizer = organizer
    calendar = _calendar(recent, longest=DESCRIPTION_LENGTH)
    name = _line(organizer.display_name)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", f"PT{int(REFRESH.total_seconds()) // 3600}H")
    return _written(calendar)


def _calendar(events: Iterable[Event], *, longest: int | None = None, own: Own | None = None) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", own.method if own else PUBLISH)
    events = list(events)
    by_zone = sorted(events, key=lambda event: zone_of(event.timezone).key)
    for zone, together in groupby(by_zone, key=lambda event: zone_of(event.timezone)):
        description = description_of(zone, [(event.starts_at, event.ends_at) for event in together])
        if description is not None:
            calendar.add_component(description)
    for event in events:
        calendar.add_component(_entry(event, longest, own))
    return calendar


def _status(event: Event, own: Own | None) -> str:
    if own and own.is_cancelled:
        return "CANCELLED"
    return _STATUS.get(Event.Status(event.status), "TENTATIVE" if own and own.is_pending else "CONFIRMED")


def _entry(event: Event, longest: int | None, own: Own | None) -> Entry:
    entry = Entry()
    changed_at = max(event.updated_at, own.changed_at) if own else event.updated_at
    is_cancelled = own is not None and own.is_cancelled
    entry.add("uid", f"{own.key if own else f'event-{event.pk}'}@{urlsplit(settings.PUBLIC_URL).hostname}")
    entry.add("sequence", event.version + is_cancelled)
    entry.add("dtstamp", changed_at.astimezone(UTC))
    entry.add("last-modified", changed_at.astimezone(UTC))
    entry.add("dtstart", _moment(event.starts_at, event))
    entry.add("dtend", _moment(event.ends_at, event))
    entry.add("summary", _line(event.title))
    entry.add("status", _status(event, own))
    entry.add("organizer", _organizer(event.organizer))
    entry.add("categories", [event.get_category_display()])
    description, place = _description(event, longest), _place(event)
    if own:
        description = "\n\n".join(part for part in (_line(own.note), description) if part)
    if description:
        entry.add("description", description)
    if place:
        entry.add("location", place)
    if event.latitude is not None and event.longitude is not None:
        # Written here: of a place near the equator the library makes 1e-05, which the format has no place for.
        entry["geo"] = vInline(f"{event.latitude:.6f};{event.longitude:.6f}")
    if settings.FRONTEND_URL:
        entry.add("url", f"{settings.FRONTEND_URL}/events/{event.slug}")
    return entry


def _moment(at: datetime, event: Event) -> datetime:
    """Return a moment by the event's clock; where that shows an hour twice, its second time as UTC.

    Source: RFC 5545, section 3.3.5: a local time that occurs twice refers to the first.
    """
    local = at.astimezone(zone_of(event.timezone))
    return at.astimezone(UTC) if local.fold else local


def _organizer(organizer: CustomUser) -> vCalAddress:
    """Return the organizer by name, under the address that our mails come from: never their own."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    named = vCalAddress(f"mailto:{address}")
    named.params["CN"] = _line(organizer.display_name).replace('"', "'")
    return named


def _description(event: Event, longest: int | None) -> str:
    reason = f"Cancelled: {_lines(event.cancellation_reason)}" if event.cancellation_reason else ""
    text = "\n\n".join(part for part in (reason, _line(event.summary), _lines(event.description)) if part)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _place(event: Event) -> str:
    if event.format == Event.Format.ONLINE:
        return "Online"
    return ", ".join(_line(part) for part in (event.venue_name, event.address, event.city, event.country) if part)


def _line(text: str) -> str:
    return " ".join(_lines(text).split())


def _lines(text: str) -> str:
    """Return text with one kind of line end, and without the characters that the format has no place for."""
    plain = _LINE_ENDS.sub("\n", text)
    return "".join(character for character in plain if character in "\n\t" or unicodedata.category(character) != "Cc")


def _written(calendar: Calendar) -> bytes:
    content: bytes = calendar.to_ical()
    return content
