"""The seat engine: the only place that changes how many seats are taken.

Seats are taken by a guarded UPDATE that holds everything the decision rested on: the event is published, registration
is open, nothing was edited since it was read, nobody is waiting, and the seats are there. The row is touched last,
just before the commit, so that its lock is held for a round trip or two. ``CHECK`` constraints stand behind it. See
docs/decisions/seats.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from eventhub_config.shared.errors import DomainError, NotVisible
from events.availability import Offer, why_refused
from events.models import Event, TicketType


class EventChanged(DomainError):
    code = "event_changed"
    title = "The event was changed while you booked. Look at it again."


# Who booked an event at another time or place may give it back for nothing.
START_AND_PLACE = frozenset({"starts_at", "format", "venue_name", "address", "city", "country"})
_NO_LIMIT = 2**31 - 1

# Plain SQL here and below: on the path of every booking, composing these by the ORM costs more than running them.
_EVENT = f"SELECT * FROM {Event._meta.db_table} WHERE id = %s"  # noqa: S608 (our own names)
_TYPES = f"SELECT * FROM {TicketType._meta.db_table} WHERE event_id = %s"  # noqa: S608


def read_offer(event_id: int) -> Offer:
    """Return an event with its ticket types as they stand, unlocked.

    :raises NotVisible: there is no such event.
    """
    # The event first: its version then tells of any edit of the types that came in between.
    for event in Event.objects.raw(_EVENT, [event_id]):
        kinds = {kind.pk: kind for kind in TicketType.objects.raw(_TYPES, [event_id])}
        for kind in kinds.values():
            kind.event = event
        return Offer(event, kinds)
    raise NotVisible


def lock_event(event_id: int) -> Event:
    """Lock an event's row, and with it the right to change its seats, and return it as it stands.

    First in the lock order, after a user. ``no_key``: inserting a booking holds a key-share lock on its event, which
    a plain FOR UPDATE would wait for while that insert waits for us.

    :raises NotVisible: there is no such event, or it was deleted while we waited.
    """
    event = Event.objects.select_for_update(no_key=True).filter(pk=event_id).first()
    if event is None:
        raise NotVisible
    return event


def bookable_at(now: datetime) -> Q:
    """Return the condition of events of which a seat can be booked: those whose ``unavailable_reason`` is None."""
    left = Coalesce(OuterRef("capacity") - OuterRef("seats_taken"), Value(_NO_LIMIT))
    kinds = TicketType.objects.filter(
        Q(sales_start_at=None) | Q(sales_start_at__lte=now),
        Q(sales_end_at=None) | Q(sales_end_at__gt=now),
        Q(quantity=None) | Q(quantity__gte=F("seats_taken") + F("min_per_booking")),
        event_id=OuterRef("pk"),
        is_visible=True,
        waiting_count=0,
        min_per_booking__lte=left,
    )
    open_now = Q(registration_deadline=None) | Q(registration_deadline__gt=now)
    return Q(open_now, Exists(kinds), status=Event.Status.PUBLISHED, starts_at__gt=now)


def take_seats(offer: Offer, wanted: Mapping[int, int], *, now: datetime) -> None:
    """Take seats (ticket type id -> how many) of the offer that a booking was made from. Call last in a unit of work.

    :raises CannotBook: one of its subclasses says why not.
    :raises EventChanged: prices or terms changed since ``offer`` was read.
    """
    if _take(offer, wanted, now):
        return
    # Refused or edited meanwhile: with the row locked nothing moves any more, and the reason read is the true one.
    lock_event(offer.event.pk)
    fresh = read_offer(offer.event.pk)
    if any(type_id not in fresh.types for type_id in wanted):
        raise EventChanged
    refusal = why_refused(fresh, wanted, now)
    if refusal:
        raise refusal
    if _terms(fresh, wanted) != _terms(offer, wanted) or not _take(fresh, wanted, now):
        raise EventChanged


def release_seats(event_id: int, seats: Mapping[int, int]) -> None:
    """Give seats back (ticket type id -> how many). The caller holds the event's lock and moved the booking's state.

    :raises RuntimeError: more would be given back than are taken; nothing is.
    """
    given = _add(Event, event_id, -sum(seats.values()))
    for type_id in sorted(seats):
        given = _add(TicketType, type_id, -seats[type_id]) and given
    if not given:
        raise RuntimeError(f"Event {event_id} has fewer seats taken than are given back: {dict(seats)}")


def hold_seats(event_id: int, seats: Mapping[int, int]) -> bool:
    """Take seats (ticket type id -> how many) for somebody who does not book them by themselves; return whether there
    were enough of them.

    For the waitlist's offers and for what organizers give away. Capacity and quantities hold as ever; whether it is
    these people's turn has been decided by the caller, who holds the event's lock.
    """
    total = sum(seats.values())
    if not _add(Event, event_id, total, (_EVENT_ROOM, [total])):
        return False
    taken: list[int] = []
    for type_id in sorted(seats):
        if not _add(TicketType, type_id, seats[type_id], (_TYPE_ROOM, [seats[type_id]])):
            _add(Event, event_id, -total)
            for other in taken:
                _add(TicketType, other, -seats[other])
            return False
        taken.append(type_id)
    return True


def count_waiting(ticket_type_id: int, change: int) -> None:
    """Note that so many parties more (or fewer) wait for a ticket type. The caller holds the event's lock.

    While any of them waits, nobody books past them: the count stands in the guard of ``take_seats``.

    :raises RuntimeError: fewer than none would wait.
    """
    rows = TicketType.objects.filter(pk=ticket_type_id, waiting_count__gte=-change)
    if not rows.update(waiting_count=F("waiting_count") + change):
        raise RuntimeError(f"Fewer than none would wait for ticket type {ticket_type_id}")


def note_first_booking(event: Event, now: datetime) -> None:
    """Fix the event's currency for good. For bookings of seats that were held before; the caller holds its lock."""
    if event.first_booked_at is None:
        event.first_booked_at = now
        Event.objects.filter(pk=event.pk).update(first_booked_at=now)


def _take(offer: Offer, wanted: Mapping[int, int], now: datetime) -> bool:
    """Take the seats if everything still holds that the offer promised; return whether it did."""
    guarded = settings.SEAT_GUARD
    if not guarded:  # the race tests' control: decide on what was read, as if nobody else were there
        refusal = why_refused(offer, wanted, now)
        if refusal:
            raise refusal
    moment = connection.ops.adapt_datetimefield_value(now)
    event, total = offer.event, sum(wanted.values())
    guard = (_EVENT_GUARD, [event.version, total, moment]) if guarded else ("", [])
    if not _add(Event, event.pk, total, guard, first_booked_at=moment):
        return False
    taken: list[int] = []
    for type_id in sorted(wanted):
        seats = wanted[type_id]
        guard = (_TYPE_GUARD, [seats, moment, moment]) if guarded else ("", [])
        if not _add(TicketType, type_id, seats, guard):
            # We hold the event's row now: put back what was added, in the same transaction.
            _add(Event, event.pk, -total)
            for other in taken:
                _add(TicketType, other, -wanted[other])
            return False
        taken.append(type_id)
    return True


# From then on the event's currency is fixed, whatever becomes of the booking.
_NOTE_FIRST = ", first_booked_at = COALESCE(first_booked_at, %s)"
# The same rules as in ``availability.py``.
_EVENT_ROOM = " AND (capacity IS NULL OR seats_taken + %s <= capacity)"
_EVENT_GUARD = (
    f" AND status = 'published' AND version = %s{_EVENT_ROOM} AND COALESCE(registration_deadline, starts_at) > %s"
)
_TYPE_ROOM = " AND (quantity IS NULL OR seats_taken + %s <= quantity)"
_TYPE_GUARD = (
    f" AND waiting_count = 0{_TYPE_ROOM}"
    " AND (sales_start_at IS NULL OR sales_start_at <= %s) AND (sales_end_at IS NULL OR sales_end_at > %s)"
)


def _add(
    model: type[Event] | type[TicketType],
    pk: int,
    seats: int,
    guard: tuple[str, list[Any]] = ("", []),
    *,
    first_booked_at: Any = None,
) -> bool:
    """Add seats (or give them back: fewer than none are never taken) if the guard holds; return whether it did."""
    condition, parameters = guard
    also, moment = (_NOTE_FIRST, [first_booked_at]) if first_booked_at is not None else ("", [])
    sql = (
        f"UPDATE {model._meta.db_table} SET seats_taken = seats_taken + %s{also}"  # noqa: S608 (our own names)
        f" WHERE id = %s AND seats_taken + %s >= 0{condition}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [seats, *moment, pk, seats, *parameters])
        return cursor.rowcount == 1


def _terms(offer: Offer, wanted: Mapping[int, int]) -> list[object]:
    """What a booking copies from the offer: if any of it changed, the booking would promise something else."""
    event = offer.event
    kinds = [offer.types[type_id] for type_id in sorted(wanted)]
    return [
        event.currency,
        event.tax_rate,
        event.refund_policy,
        event.refund_until,
        event.refund_percent,
        # Whoever booked before they change is told. A booking that is being made meanwhile would fall in between.
        *(getattr(event, name) for name in sorted(START_AND_PLACE)),
        *((kind.price, kind.min_per_booking, kind.max_per_booking, kind.is_visible) for kind in kinds),
    ]
