"""The door: people are let in by their tickets, one by one or from a list that a device kept while it was offline.

One way in for both, :func:`_let_in`: it locks, decides and writes for some scans of one event in one transaction.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Model, Q

from bookings.models import Booking, Scan, Ticket
from eventhub_config.shared.errors import Busy, DomainError, NotVisible
from eventhub_config.shared.fast_insert import insert_new
from eventhub_config.shared.fields import moment_text
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.shared.transitions import move_all
from events.availability import EventIsCancelled, NotPublished
from events.models import Event, TicketType
from events.services.editing import require_owner
from users.models import CustomUser

TICKET_CODE_LENGTH = 20
REFERENCE_LENGTH = 8
# Of an upload in one transaction: its locks are held for moments.
SCANS_AT_ONCE = 200
# What the clock of a phone may be wrong by.
CLOCK_SKEW = timedelta(minutes=5)
# In Crockford's base 32 these are read as the digits they look like.
_MISREAD = str.maketrans("OIL", "011")
_KEPT_OF_CODE = 40


class DoorRefusal(DomainError):
    """Why somebody is not let in. Names the tickets that it is about: to whom they belong, who was let in and when."""

    def __init__(self, detail: str = "", *, tickets: Iterable[Ticket] = ()) -> None:
        super().__init__(detail)
        self.tickets = list(tickets)
        self.members = {"tickets": [as_found(ticket) for ticket in self.tickets]}


class AlreadyCheckedIn(DoorRefusal):
    code = "already_checked_in"
    title = "Somebody was let in with this ticket already."


class UnknownTicket(DoorRefusal):
    code = "unknown_ticket"
    title = "There is no such ticket or booking for this event."


class WrongEvent(DoorRefusal):
    code = "wrong_event"
    title = "This ticket is for another event of yours."


class SeveralTickets(DoorRefusal):
    code = "several_tickets"
    title = "Several tickets of this booking are left; say which of them."


class TicketUnpaid(DoorRefusal):
    code = "ticket_unpaid"
    title = "This booking is not paid."


class TicketCancelled(DoorRefusal):
    code = "ticket_cancelled"
    title = "This ticket was cancelled."


class TicketExpired(DoorRefusal):
    code = "ticket_expired"
    title = "This booking was not paid in time, and its seats were given back."


class EventCancelledAtDoor(DoorRefusal, EventIsCancelled):
    """The same code as everywhere, with the members of the door."""


class NotPublishedAtDoor(DoorRefusal, NotPublished):
    """The same code as everywhere, with the members of the door."""


class ScanIdReused(DoorRefusal):
    code = "scan_id_reused"
    title = "This scan_id came with another code before."


class ImpossibleTime(DomainError):
    code = "impossible_time"
    status = 400
    title = "A scan lies neither in the future nor before its event was made. Look at the device's clock."


class NotCheckedIn(DomainError):
    code = "not_checked_in"
    title = "Nobody is checked in with this ticket."


REFUSALS: tuple[type[DoorRefusal], ...] = (
    UnknownTicket, WrongEvent, SeveralTickets, AlreadyCheckedIn, TicketUnpaid, TicketCancelled, TicketExpired,
    EventCancelledAtDoor, NotPublishedAtDoor, ScanIdReused,
)  # fmt: skip
# Of them, what a ticket can be refused with that somebody chose from a list.
REFUSALS_OF_TICKETS = (AlreadyCheckedIn, TicketUnpaid, TicketCancelled, TicketExpired, EventCancelledAtDoor)
CHECKED_IN = "checked_in"


@dataclass(frozen=True)
class ScanRequest:
    """One scan: a ticket's code or a booking's reference, as it was read or typed.

    With a ``scan_id`` of the device's choice it can be sent again; ``scanned_at`` is by the device's clock.
    """

    code: str
    scan_id: str = ""
    scanned_at: datetime | None = None

    @property
    def plain_code(self) -> str:
        """What was scanned, as tickets and bookings write it: a reference typed by hand may lack its hyphen."""
        return "".join(self.code.split()).replace("-", "").upper().translate(_MISREAD)[:_KEPT_OF_CODE]


@dataclass(frozen=True)
class Outcome:
    """What came of one scan: the ticket that lets in, or the refusal."""

    scan: ScanRequest
    ticket: Ticket | None
    refusal: DomainError | None

    @property
    def code(self) -> str:
        return self.refusal.code if self.refusal else CHECKED_IN

    def admitted(self) -> Ticket:
        """Return the ticket that lets in.

        :raises DomainError: the refusal.
        """
        if self.refusal or self.ticket is None:
            raise self.refusal or UnknownTicket()
        return self.ticket


def check_in(*, event_id: int, scan: ScanRequest, actor: CustomUser, now: datetime) -> Ticket:
    """Let somebody in by the code of their ticket, or by the reference of a booking with one ticket left.

    :raises NotVisible: there is no such event for the actor.
    :raises NotOwner: somebody else runs it.
    :raises DoorRefusal: one of its subclasses says why not.
    :raises ImpossibleTime: the device's clock is wrong.
    """
    event = event_at_door(event_id, actor)
    (outcome,) = _record(event, [scan], actor, now)
    return outcome.admitted()


def check_in_ticket(*, ticket_id: int, actor: CustomUser, now: datetime) -> Ticket:
    """Let the holder of a ticket in, as somebody chose it from a list.

    :raises NotOwner: somebody else runs its event.
    :raises DoorRefusal: one of its subclasses says why not.
    """
    ticket = Ticket.objects.select_related("booking__event").get(pk=ticket_id)
    require_owner(ticket.booking.event, actor)
    (outcome,) = _record(ticket.booking.event, [ScanRequest(ticket.code)], actor, now)
    return outcome.admitted()


def record_scans(*, event_id: int, scans: Sequence[ScanRequest], actor: CustomUser, now: datetime) -> list[Outcome]:
    """Take the scans that a device made offline, in the order it made them; return what came of each.

    Sent again, whole or in part, each is answered as the first time. One that is refused stops none of the others.

    :raises NotVisible: there is no such event for the actor.
    :raises NotOwner: somebody else runs it.
    """
    event = event_at_door(event_id, actor)
    outcomes: list[Outcome] = []
    for start in range(0, len(scans), SCANS_AT_ONCE):
        outcomes += _record(event, scans[start : start + SCANS_AT_ONCE], actor, now)
    return outcomes


@unit_of_work
def undo_check_in(*, ticket_id: int, actor: CustomUser, now: datetime) -> Ticket:
    """Take a check-in back: the ticket is good once more.

    :raises NotOwner: somebody else runs its event.
    :raises NotCheckedIn: nobody was let in with it.
    """
    tickets = Ticket.objects.select_for_update(no_key=True, of=("booking", "self"))
    ticket = tickets.select_related("booking__event", "booking__user", "ticket_type").get(pk=ticket_id)
    require_owner(ticket.booking.event, actor)
    if ticket.status != Ticket.Status.CHECKED_IN:
        raise NotCheckedIn
    ticket.checked_in_at = ticket.checked_in_by = None
    ticket.move_to(Ticket.Status.VALID, actor=actor, at=now, also=["checked_in_at", "checked_in_by"])
    return ticket


def event_at_door(event_id: int, actor: CustomUser) -> Event:
    """Return an event for those who stand at its door.

    :raises NotVisible: there is no such event for the actor.
    :raises NotOwner: somebody else runs it.
    """
    found = list(Event.objects.raw(_EVENT, [event_id]))
    if not found or not (found[0].published_at or found[0].is_run_by(actor)):
        raise NotVisible
    require_owner(found[0], actor)
    return found[0]


# Plain SQL, like that of booking and for the same reason.
_EVENT = f"""
SELECT id, status, organizer_id, version, starts_at, ends_at, timezone, created_at, published_at, attendance_rule
  FROM {Event._meta.db_table} WHERE id = %s
"""  # noqa: S608 (our own names)


def as_found(ticket: Ticket) -> dict[str, Any]:
    """Return what those at the door are told of a ticket that does not let in."""
    by = ticket.checked_in_by
    return {
        "id": ticket.pk,
        "code": ticket.code,
        "ticket_type": ticket.ticket_type_id,
        "holder_name": ticket.holder_name,
        "booking": ticket.booking_id,
        "booking_reference": ticket.booking.reference,
        "status": ticket.status,
        "checked_in_at": moment_text(ticket.checked_in_at) if ticket.checked_in_at else None,
        "checked_in_by": {"id": by.pk, "name": by.display_name} if by else None,
    }


# --- One transaction --------------------------------------------------------------------------------------------------


class _ScanTakenError(Exception):
    """The same scan was recorded by another request in this very moment: begin anew, and answer from its row."""


def _record(event: Event, scans: Sequence[ScanRequest], actor: CustomUser, now: datetime) -> list[Outcome]:
    for _ in range(3):
        try:
            return _let_in(event, scans, actor, now)
        except _ScanTakenError:
            continue
    raise Busy


@unit_of_work
def _let_in(event: Event, scans: Sequence[ScanRequest], actor: CustomUser, now: datetime) -> list[Outcome]:
    door = _Door(event, scans, actor, now)
    verdicts = [door.judge(scan) for scan in scans]
    door.write()
    # Only now, with the tickets as they were left.
    return [verdict.as_outcome(scan) for scan, verdict in zip(scans, verdicts, strict=True)]


class _Verdict(NamedTuple):
    refusal: type[DomainError] | None
    tickets: Sequence[Ticket] = ()
    detail: str = ""

    def as_outcome(self, scan: ScanRequest) -> Outcome:
        if self.refusal is None:
            return Outcome(scan, self.tickets[0] if self.tickets else None, None)
        if not issubclass(self.refusal, DoorRefusal):
            return Outcome(scan, None, self.refusal())
        detail = self.detail
        if self.refusal is AlreadyCheckedIn and self.tickets:
            detail = " ".join(_who_and_when(ticket) for ticket in self.tickets)
        return Outcome(
            scan, self.tickets[0] if len(self.tickets) == 1 else None, self.refusal(detail, tickets=self.tickets)
        )


def _who_and_when(ticket: Ticket) -> str:
    if ticket.checked_in_at is None:
        return AlreadyCheckedIn.title
    event = ticket.booking.event
    local = ticket.checked_in_at.astimezone(ZoneInfo(event.timezone))
    at = f"{local:%H:%M:%S} on {local:%a} {local.day} {local:%B %Y} ({event.timezone})"
    by = f" by {ticket.checked_in_by.display_name}" if ticket.checked_in_by else ""
    return f"{ticket.holder_name} was let in at {at}{by}."


class _Door:
    """What some scans of one event are about, read under lock, and what is to be written of them."""

    by_code: ClassVar = {refusal.code: refusal for refusal in REFUSALS}

    def __init__(self, event: Event, scans: Sequence[ScanRequest], actor: CustomUser, now: datetime) -> None:
        self.event, self.actor, self.now = event, actor, now
        codes = {scan.plain_code for scan in scans}
        # A code leads to one ticket, a reference to all of its booking.
        self.tickets: dict[str, list[Ticket]] = {}
        for ticket in self._lock(codes):
            self.tickets[ticket.code] = [ticket]
            self.tickets.setdefault(ticket.booking.reference.replace("-", ""), []).append(ticket)
        # After the locks: the same upload, sent twice at once, finds here what the other one made of it.
        self.known = self._recorded({scan.scan_id for scan in scans if scan.scan_id})
        self.elsewhere = self._elsewhere(codes - self.tickets.keys())
        self.let_in: dict[int, Ticket] = {}
        self.come_after_all: dict[int, Booking] = {}
        self.new_scans: list[Scan] = []

    # --- Reading ---

    def _lock(self, codes: set[str]) -> list[Ticket]:
        """Lock the tickets that these codes mean, each after its booking, and return them as they stand."""
        references = [_reference(code) for code in codes if len(code) == REFERENCE_LENGTH]
        bookings: list[int] = []
        if references:
            of_event = Booking.objects.filter(event_id=self.event.pk, reference__in=references)
            bookings = list(of_event.values_list("pk", flat=True))
        return read_locked([code for code in codes if len(code) == TICKET_CODE_LENGTH], bookings, self.event)

    def _recorded(self, scan_ids: set[str]) -> dict[str, Scan]:
        if not scan_ids:
            return {}
        return {scan.scan_id: scan for scan in Scan.objects.filter(event_id=self.event.pk, scan_id__in=scan_ids)}

    def _elsewhere(self, codes: set[str]) -> dict[str, str]:
        """Return the titles of the actor's other events that these codes are for."""
        references = {_reference(code): code for code in codes if len(code) == REFERENCE_LENGTH}
        codes = {code for code in codes if len(code) == TICKET_CODE_LENGTH}
        theirs = Q() if self.actor.is_platform_admin else Q(event__organizer_id=self.actor.pk)
        found: dict[str, str] = {}
        if codes:
            tickets = Ticket.objects.filter(theirs, code__in=codes).exclude(event_id=self.event.pk)
            found |= dict(tickets.values_list("code", "event__title"))
        if references:
            bookings = Booking.objects.filter(theirs, reference__in=references).exclude(event_id=self.event.pk)
            titles = bookings.values_list("reference", "event__title")
            found |= {references[reference]: title for reference, title in titles}
        return found

    # --- Deciding ---

    def judge(self, scan: ScanRequest) -> _Verdict:
        """Decide about one scan, after those before it."""
        if scan.scan_id in self.known:
            return self._again(scan, self.known[scan.scan_id])
        if scan.scanned_at and not self.event.created_at - CLOCK_SKEW <= scan.scanned_at <= self.now + CLOCK_SKEW:
            return _Verdict(ImpossibleTime)  # not recorded: with the clock set right, it may be sent again
        verdict = self._decide(scan)
        ticket = verdict.tickets[0] if len(verdict.tickets) == 1 else None
        at = min(scan.scanned_at or self.now, self.now)
        if verdict.refusal is None and ticket is not None:
            ticket.checked_in_at, ticket.checked_in_by = at, self.actor
            self.let_in[ticket.pk] = ticket
            if ticket.booking.status == Booking.Status.NO_SHOW:
                self.come_after_all[ticket.booking_id] = ticket.booking
        if scan.scan_id:
            self.known[scan.scan_id] = row = Scan(
                event=self.event,
                scan_id=scan.scan_id,
                code=scan.plain_code,
                ticket=ticket,
                outcome=verdict.refusal.code if verdict.refusal else CHECKED_IN,
                scanned_at=at,
                received_at=self.now,
                by=self.actor,
            )
            self.new_scans.append(row)
        return verdict

    def _again(self, scan: ScanRequest, before: Scan) -> _Verdict:
        if before.code != scan.plain_code:
            return _Verdict(ScanIdReused)
        tickets = self._meant(scan)
        if before.ticket_id:
            tickets = [ticket for ticket in tickets if ticket.pk == before.ticket_id]
        refusal = None if before.outcome == CHECKED_IN else self.by_code.get(before.outcome, UnknownTicket)
        return _Verdict(refusal, tickets)

    def _decide(self, scan: ScanRequest) -> _Verdict:
        if self.event.status == Event.Status.CANCELLED:
            return _Verdict(EventCancelledAtDoor)
        if self.event.status == Event.Status.DRAFT:
            return _Verdict(NotPublishedAtDoor)
        meant = self._meant(scan)
        if not meant:
            title = self.elsewhere.get(scan.plain_code)
            return _Verdict(WrongEvent, detail=f"This ticket is for “{title}”.") if title else _Verdict(UnknownTicket)
        left = [ticket for ticket in meant if self._why_not(ticket) is None]
        if not left:
            return _Verdict(self._why_not(meant[0]), meant)
        return _Verdict(SeveralTickets if len(left) > 1 else None, left)

    def _meant(self, scan: ScanRequest) -> list[Ticket]:
        return self.tickets.get(scan.plain_code, [])

    def _why_not(self, ticket: Ticket) -> type[DoorRefusal] | None:
        booking = ticket.booking
        if booking.status == Booking.Status.PENDING:
            return TicketUnpaid
        if booking.status == Booking.Status.EXPIRED:
            return TicketExpired
        if booking.status == Booking.Status.CANCELLED or ticket.status == Ticket.Status.CANCELLED:
            return TicketCancelled
        if ticket.status == Ticket.Status.CHECKED_IN or ticket.pk in self.let_in:
            return AlreadyCheckedIn
        return None

    # --- Writing ---

    def write(self) -> None:
        """Write what was decided, in a handful of statements however many scans there are."""
        move_all(self.come_after_all.values(), Booking.Status.CONFIRMED, actor=self.actor, at=self.now)
        tickets = list(self.let_in.values())
        if len(tickets) == 1:
            also = ["checked_in_at", "checked_in_by"]
            tickets[0].move_to(Ticket.Status.CHECKED_IN, actor=self.actor, at=self.now, also=also)
        elif tickets:
            by = {"checked_in_by": self.actor}
            move_all(tickets, Ticket.Status.CHECKED_IN, actor=self.actor, at=self.now, also=by)
            Ticket.objects.bulk_update(tickets, ["checked_in_at"])
        # In one order, so that two uploads with the same scans wait for one another instead of deadlocking.
        rows = sorted(self.new_scans, key=lambda scan: scan.scan_id)
        if rows and insert_new(rows) < len(rows):
            raise _ScanTakenError


# Plain SQL, like that of booking and for the same reason. The rows are locked in the order of the list, and in each the
# booking before its ticket.
_TICKETS = f"""
SELECT t.id, t.code, t.status, t.attendee_name, t.attendee_email, t.price, t.checked_in_at, t.checked_in_by_id,
       t.ticket_type_id, t.booking_id, b.reference AS of_reference, b.status AS of_status, b.user_id AS of_user,
       b.currency AS of_currency, b.special_requirements AS of_requirements, b.invited_as AS of_invited_as,
       k.name AS of_type, u.first_name AS u_first_name, u.last_name AS u_last_name, u.username AS u_username,
       c.first_name AS c_first_name, c.last_name AS c_last_name, c.username AS c_username
  FROM {Ticket._meta.db_table} t
  JOIN {Booking._meta.db_table} b ON b.id = t.booking_id
  JOIN {TicketType._meta.db_table} k ON k.id = t.ticket_type_id
  JOIN {CustomUser._meta.db_table} u ON u.id = b.user_id
  LEFT JOIN {CustomUser._meta.db_table} c ON c.id = t.checked_in_by_id
 WHERE b.event_id = %s AND (t.code IN (%s) OR t.booking_id IN (%s))
 ORDER BY b.id, t.id
"""  # noqa: S608 (our own names)
_LOCK = " FOR NO KEY UPDATE OF b, t"


def read_locked(codes: Sequence[str], bookings: Sequence[int], event: Event) -> list[Ticket]:
    """Lock tickets of an event with their bookings, by code or booking, and return them as the door needs them."""
    sql = _TICKETS % ("%s", _places(codes), _places(bookings))
    if connection.features.has_select_for_update:
        sql += _LOCK
    tickets = list(Ticket.objects.raw(sql, [event.pk, *codes, *bookings]))
    known: dict[int, Booking] = {}
    for row in tickets:
        ticket: Any = row
        if ticket.booking_id not in known:
            known[ticket.booking_id] = booking = _row(
                Booking,
                id=ticket.booking_id,
                reference=ticket.of_reference,
                status=ticket.of_status,
                event_id=event.pk,
                user_id=ticket.of_user,
                currency=ticket.of_currency,
                special_requirements=json.loads(ticket.of_requirements),
                invited_as=ticket.of_invited_as,
            )
            booking.event = event
            booking.user = _person(ticket, "u", ticket.of_user)
        ticket.booking = known[ticket.booking_id]
        ticket.ticket_type = _row(TicketType, id=ticket.ticket_type_id, name=ticket.of_type)
        if ticket.checked_in_by_id and ticket.c_username is not None:
            ticket.checked_in_by = _person(ticket, "c", ticket.checked_in_by_id)
    # Let in while we waited for the lock: the row is the new one then, but what is joined to it is as we began.
    unnamed: list[Any] = [
        row for row in tickets if row.checked_in_by_id and "checked_in_by" not in row._state.fields_cache
    ]
    if unnamed:
        people = CustomUser.objects.in_bulk({ticket.checked_in_by_id for ticket in unnamed})
        for ticket in unnamed:
            ticket.checked_in_by = people[ticket.checked_in_by_id]
    return tickets


def _places(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values)) or "NULL"


def _person(ticket: Any, prefix: str, pk: int) -> CustomUser:
    names = {name: getattr(ticket, f"{prefix}_{name}") for name in ("first_name", "last_name", "username")}
    return _row(CustomUser, id=pk, **names)


M = TypeVar("M", bound=Model)


def _row(model: type[M], **columns: Any) -> M:
    """Return a row of which these columns were read; the others are read when somebody asks for them."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in columns]
    return model.from_db(connection.alias, names, [columns[name] for name in names])


def _reference(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"
