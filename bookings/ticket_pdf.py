"""What a ticket looks like on paper: an A4 page with a card to be shown at the door.

Imports the PDF library, so it is imported by the function that makes one. Nothing here asks the database.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date

from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from eventhub_config.shared.documents.sheet import (
    BOLD,
    BRAND,
    INK,
    LINE,
    PAPER,
    QUIET,
    TEXT,
    WIDTH,
    Picture,
    Sheet,
    Style,
    fitted,
    picture_of,
)
from events.models import Event

MARGIN = 48.0
CARD = WIDTH - 2 * MARGIN
TOP = 48.0
BANNER = 150.0
NARROW_BANNER = 76.0
INSET = 28.0
LEFT, RIGHT = MARGIN + INSET, MARGIN + CARD - INSET
RADIUS = 12.0
QR_SIDE = 190.0
COLUMN = RIGHT - QR_SIDE - 20 - LEFT

LABEL = Style(8.5, colour=QUIET)
VALUE = Style(12, colour=INK, leading=16)
SMALL = Style(9.5, colour=TEXT, leading=14)
FINE = Style(8.5, colour=QUIET, leading=12)
TITLES = [Style(size, BOLD, INK, size * 1.18) for size in (27, 23, 19, 16)]
NAMES = [Style(size, BOLD, INK, size * 1.2) for size in (19, 16, 13, 11)]
VALUES = [VALUE, Style(10.5, colour=INK, leading=14), Style(9, colour=INK, leading=12)]

TO_THE_DOOR = (
    "Bring this page, on paper or on your phone. The code lets one person in, once: "
    "whoever shows it first, so do not share it."
)
GAPS = (
    "Some words are in letters that cannot be printed here: they are left out, or “…” stands for them. The ticket is "
    "good all the same; what counts is the code."
)


class Place(NamedTuple):
    """A ticket among those of its booking."""

    number: int
    of: int


def tickets_pdf(
    *, event: Event, booking: Booking, tickets: Sequence[Ticket], all_tickets: Sequence[Ticket], cover: bytes | None
) -> bytes:
    """Return the tickets as a PDF, one page each. Their types and the event's organizer are read already."""
    sheet = Sheet(title=f"{event.title} ({booking.reference})", author=event.organizer.display_name)
    picture = picture_of(cover) if cover else None
    numbers = {ticket.pk: number for number, ticket in enumerate(all_tickets, 1)}
    for index, ticket in enumerate(tickets):
        if index:
            sheet.turn_page()
        _draw(sheet, event, booking, ticket, Place(numbers[ticket.pk], len(all_tickets)), picture)
    return sheet.finish()


def _draw(sheet: Sheet, event: Event, booking: Booking, ticket: Ticket, place: Place, cover: Picture | None) -> None:
    title = sheet.printable(event.title, f"Event {event.pk}")
    lines, style = fitted(title, TITLES, width=RIGHT - LEFT, most=3)
    banner = BANNER if cover else NARROW_BANNER
    heading_top = TOP + banner + 24
    facts_top = heading_top + 18 + len(lines) * style.step + 30
    stub_top = facts_top + 98
    bottom = stub_top + 262

    sheet.box(MARGIN, TOP, CARD, bottom - TOP, radius=RADIUS, fill=PAPER, line=LINE)
    _draw_banner(sheet, event, banner, cover)
    sheet.line(LEFT, heading_top + 8, event.get_category_display().upper(), Style(9, BOLD, BRAND))
    end = sheet.lines(LEFT, heading_top + 18, lines, style)
    host = sheet.printable(event.organizer.display_name, "the organizer")
    sheet.paragraph(LEFT, end + 5, f"by {host}", Style(10.5, colour=QUIET), width=RIGHT - LEFT, most=1)
    _draw_facts(sheet, event, facts_top + 10)
    _draw_perforation(sheet, stub_top)
    _draw_stub(sheet, booking, ticket, place, stub_top)
    foot = sheet.paragraph(MARGIN + 4, bottom + 14, TO_THE_DOOR, FINE, width=CARD - 8, most=3)
    if sheet.has_gaps:
        sheet.paragraph(MARGIN + 4, foot + 2, GAPS, FINE, width=CARD - 8, most=3)


def _draw_banner(sheet: Sheet, event: Event, height: float, cover: Picture | None) -> None:
    if cover is not None:
        sheet.picture(cover, MARGIN, TOP, CARD, height, RADIUS)
        return
    sheet.box(MARGIN, TOP, CARD, height, radius=RADIUS, fill=BRAND)
    sheet.box(MARGIN, TOP + height - RADIUS, CARD, RADIUS, fill=BRAND)
    sheet.line(LEFT, TOP + height / 2 + 7, "Event Hub", Style(20, BOLD, PAPER))
    sheet.line_to_right(RIGHT, TOP + height / 2 + 5, "Ticket", Style(13, colour="#dbe4fb"))


def _draw_facts(sheet: Sheet, event: Event, top: float) -> None:
    middle = LEFT + (RIGHT - LEFT) / 2 + 6
    width = (RIGHT - LEFT) / 2 - 12
    sheet.line(LEFT, top + 8, "WHEN", LABEL)
    y = top + 14
    for text in _when(event):
        y = sheet.paragraph(LEFT, y, text, VALUE, width=width, most=1)
    sheet.paragraph(LEFT, y + 1, _clock(event), FINE, width=width, most=1)
    sheet.line(middle, top + 8, "WHERE", LABEL)
    y = top + 14
    where = _where(sheet, event)
    for part in where:
        lines, style = fitted(part, VALUES, width=width, most=max(1, 4 - len(where)))
        y = sheet.lines(middle, y, lines, style)


def _draw_perforation(sheet: Sheet, y: float) -> None:
    sheet.rule(MARGIN + 12, y, MARGIN + CARD - 12, dashed=True)
    sheet.half_disc(MARGIN, y, 9, opens_right=True)
    sheet.half_disc(MARGIN + CARD, y, 9, opens_right=False)


def _draw_stub(sheet: Sheet, booking: Booking, ticket: Ticket, place: Place, top: float) -> None:
    top += 26
    sheet.line(LEFT, top + 8, "ADMIT", LABEL)
    lines, style = fitted(_holder(sheet, booking, ticket, place), NAMES, width=COLUMN, most=2)
    y = sheet.lines(LEFT, top + 13, lines, style) + 12
    sheet.line(LEFT, y + 8, "TICKET", LABEL)
    kind = sheet.printable(ticket.ticket_type.name, "Ticket")
    lines, style = fitted(kind, VALUES, width=COLUMN, most=2)
    y = sheet.lines(LEFT, y + 13, lines, style)
    y = sheet.lines(LEFT, y + 1, [_price(booking, ticket)], SMALL) + 12
    sheet.line(LEFT, y + 8, "BOOKING", LABEL)
    y = sheet.lines(LEFT, y + 13, [booking.reference], Style(12, BOLD, INK, 16))
    if place.of > 1:
        sheet.lines(LEFT, y + 1, [f"Ticket {place.number} of {place.of}"], SMALL)

    left = RIGHT - QR_SIDE + 14  # its white margin reaches into the card's
    sheet.qr_code(ticket.code, left, top - 8, QR_SIDE)
    code = " ".join(ticket.code[start : start + 5] for start in range(0, len(ticket.code), 5))
    sheet.line_in_middle(left + QR_SIDE / 2, top + QR_SIDE + 4, code, Style(10.5, colour=INK))


def _holder(sheet: Sheet, booking: Booking, ticket: Ticket, place: Place) -> str:
    """Return whom a ticket is for; what cannot be printed of a name is left to the address or to the booking."""
    # Never the account's own name where somebody was invited: those who run the event see this page too.
    otherwise = ticket.attendee_email or f"Holder of booking {booking.reference}"
    if ticket.attendee_name:
        return sheet.printable(ticket.attendee_name, otherwise)
    booker = sheet.printable(booking.holder_name)
    if not booker:
        return otherwise
    return booker if place.number == 1 else f"Guest of {booker}"


def _price(booking: Booking, ticket: Ticket) -> str:
    return f"{money.as_text(ticket.price, booking.currency)} {booking.currency}" if ticket.price else "Free of charge"


def _when(event: Event) -> list[str]:
    """Return when an event takes place by its own clock, in two lines."""
    zone = ZoneInfo(event.timezone)
    start, end = event.starts_at.astimezone(zone), event.ends_at.astimezone(zone)
    if start.date() == end.date():
        return [_day(start), f"{start:%H:%M} to {end:%H:%M}"]
    return [f"{_day(start)}, {start:%H:%M}", f"to {_day(end)}, {end:%H:%M}"]


def _day(local: datetime) -> str:
    return format_date(local, "D j F Y")


def _clock(event: Event) -> str:
    local = event.starts_at.astimezone(ZoneInfo(event.timezone))
    offset = local.isoformat(timespec="minutes")[-6:]
    return "UTC" if event.timezone == "UTC" else f"{event.timezone.replace('_', ' ')}, UTC{offset}"


def _where(sheet: Sheet, event: Event) -> list[str]:
    """Return where an event takes place, in up to four parts."""
    if event.format == Event.Format.ONLINE:
        return ["Online", "The link is in your booking."]
    parts = [sheet.printable(part) for part in (event.venue_name, event.address, event.city)]
    where = [part for part in parts if part] or ["See the event"]
    return [*where, "and online"] if event.format == Event.Format.HYBRID else where
