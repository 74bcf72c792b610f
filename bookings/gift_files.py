"""Lists of complimentary bookings as CSV files, such as spreadsheets write them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Any, NamedTuple

from django.core.files.uploadedfile import UploadedFile

from bookings.models import Booking
from bookings.serializers.complimentary import GiftSerializer
from bookings.services.complimentary import MOST_AT_ONCE, Gift, GiftsRefused, Refused, give_bookings, why_not_given
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import InvalidInput, PayloadTooLarge
from events.models import Event, TicketType

COLUMNS = ("email", "name", "ticket_type", "quantity", "reason")
LARGEST_FILE = 524_288  # bytes
_DELIMITERS = ",;\t"


class RowProblem(NamedTuple):
    """What is wrong with one line of a file."""

    line: int
    field: str
    code: str
    message: str


@dataclass(frozen=True)
class GiftFile:
    """What a file says: the gifts with the lines that they stand in, and what is wrong with other lines."""

    gifts: Sequence[Gift]
    lines: Sequence[int]
    problems: Sequence[RowProblem]

    def numbered(self) -> list[tuple[int, Gift]]:
        return list(zip(self.lines, self.gifts, strict=True))

    def explained(self, refused: Sequence[Refused]) -> list[RowProblem]:
        """Return all that is wrong, line by line, together with what a service refused."""
        found = [*self.problems, *(_problem(self.lines[each.index], each) for each in refused)]
        return sorted(found, key=lambda problem: problem.line)


class FileRefused(GiftsRefused):
    """Names what is wrong by line: ``lines.7.email``."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__([])
        self.problems = list(problems)
        self.errors = [
            {
                "field": f"lines.{problem.line}.{problem.field}".removesuffix("."),
                "code": problem.code,
                "message": problem.message,
            }
            for problem in problems
        ]


def read_gifts(content: bytes | str, kinds: Sequence[TicketType], *, reason: str = "") -> GiftFile:
    """Return what a file says; a line without a reason has ``reason``.

    :raises InvalidInput: it is no CSV file with the right columns, or has too many lines.
    :raises PayloadTooLarge: it has too many bytes.
    """
    source = _field_of(content)
    header, rows = _rows(text_of(content), source)
    gifts, lines, problems = [], [], []
    for line, cells in rows:
        if len(cells) > len(header):
            problems.append(RowProblem(line, "", "too_many_columns", "This line has more cells than the first one."))
            continue
        given = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if cell.strip()}
        body = GiftSerializer(data=({"reason": reason} if reason else {}) | given | _type(given, kinds))
        if body.is_valid():
            gifts.append(body.as_gift())
            lines.append(line)
        else:
            problems += [
                RowProblem(line, field, str(getattr(message, "code", "invalid")), _said(field, message, given))
                for field, messages in body.errors.items()
                for message in messages
            ]
    if not gifts and not problems:
        raise InvalidInput.field(source, "empty", "There are no lines below the first one.")
    return GiftFile(gifts, lines, problems)


@dataclass(frozen=True)
class Imported:
    """What became of a file, or what would."""

    file: GiftFile
    problems: Sequence[RowProblem]
    bookings: Sequence[Booking] = ()

    @property
    def good(self) -> list[Gift]:
        """The gifts of lines with which nothing is wrong."""
        wrong = {problem.line for problem in self.problems}
        return [gift for line, gift in self.file.numbered() if line not in wrong]

    @property
    def seats(self) -> int:
        return sum(gift.quantity for gift in self.good)


def preview(*, event: Event, content: bytes | str, reason: str, actor: Actor, now: datetime) -> Imported:
    """Return what importing a file would do; refused as ``give_bookings``, but for single lines."""
    file = _file(event, content, reason)
    refused = why_not_given(event_id=event.pk, gifts=file.gifts, actor=actor, now=now)
    return Imported(file, file.explained(refused))


def import_file(*, event: Event, content: bytes | str, reason: str, actor: Actor, now: datetime) -> Imported:
    """Give what a file says, all of it.

    :raises FileRefused: something is wrong with a line; all that is known to be wrong is named, and nothing was done.
    """
    file = _file(event, content, reason)
    if file.problems:
        raise FileRefused(preview(event=event, content=content, reason=reason, actor=actor, now=now).problems)
    try:
        made = give_bookings(event_id=event.pk, gifts=file.gifts, actor=actor, now=now)
    except GiftsRefused as error:
        raise FileRefused(file.explained(error.refused)) from error
    return Imported(file, [], made)


def _file(event: Event, content: bytes | str, reason: str) -> GiftFile:
    return read_gifts(content, list(TicketType.objects.filter(event=event)), reason=reason)


def content_of(upload: UploadedFile | None) -> bytes:
    """Return what is in an uploaded file.

    :raises PayloadTooLarge: too much.
    """
    if upload is None:
        return b""
    if (upload.size or 0) > LARGEST_FILE:  # not read: it may not have been kept
        raise PayloadTooLarge(f"Send {LARGEST_FILE} bytes at most.")
    content: bytes = upload.read()
    return content


def text_of(content: bytes | str) -> str:
    """Return a file's content as a text.

    :raises InvalidInput: it is none, or not in UTF-8.
    :raises PayloadTooLarge: it has too many bytes.
    """
    source = _field_of(content)
    if len(content) > LARGEST_FILE:
        raise PayloadTooLarge(f"Send {LARGEST_FILE} bytes at most.")
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput.field(source, "not_utf8", "Save the file as CSV in UTF-8.") from error
    if "\0" in content:
        raise InvalidInput.field(source, "malformed", "This is not a text.")
    return content.removeprefix("\ufeff")  # the mark by which spreadsheets know UTF-8


def _rows(text: str, source: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and each line that is not empty with its number."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        numbered = list(islice(_numbered(reader), MOST_AT_ONCE + 2))  # the columns, and one line too many
    except csv.Error as error:
        raise InvalidInput.field(source, "malformed", f"Line {reader.line_num} cannot be read: {error}.") from error
    if not numbered:
        raise InvalidInput.field(source, "empty", "The file is empty.")
    header = [cell.strip().lower().replace(" ", "_") for cell in numbered[0][1]]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "email" not in header or len(set(header)) < len(header):
        found = f"There is no column “{unknown[0][:40]}”. " if unknown else ""
        columns = ", ".join(COLUMNS[1:])
        message = f"{found}The first line names the columns: email, and any of {columns}."
        raise InvalidInput.field(source, "columns", message)
    if len(numbered) - 1 > MOST_AT_ONCE:
        raise InvalidInput.field(source, "too_many_rows", f"Send {MOST_AT_ONCE} lines at most.")
    return header, numbered[1:]


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1  # a quoted cell may have several lines


def _type(given: Mapping[str, str], kinds: Sequence[TicketType]) -> dict[str, Any]:
    """Return the ticket type of a line, which names it by its id or, as people do, by its name."""
    said = given.get("ticket_type", "")
    named = [kind.pk for kind in kinds if kind.name.casefold() == said.casefold()]
    if not said or len(named) != 1:
        return {}
    return {"ticket_type": named[0]}


def _said(field: str, message: str, given: Mapping[str, str]) -> str:
    """Return what is wrong with a cell in words; a ticket type is called by its name as often as by its id."""
    if field == "ticket_type" and getattr(message, "code", "") == "invalid":
        return f"No ticket type of this event, or more than one, is called “{given['ticket_type'][:80]}”."
    return str(message)


def _problem(line: int, refused: Refused) -> RowProblem:
    told = refused.refusal.errors[0] if refused.refusal.errors else {}
    code = told.get("code", refused.refusal.code)
    return RowProblem(line, refused.field, code, told.get("message", refused.refusal.detail))


def _field_of(content: bytes | str) -> str:
    """Return where a list came in: as a file, or as a text."""
    return "file" if isinstance(content, bytes) else "csv"
