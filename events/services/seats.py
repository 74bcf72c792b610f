"""The seat engine: the only place that changes how many seats are taken.

Seats are taken by a guarded UPDATE that holds everything the decision rested on: the event is published, registration
is open, nothing was edited since it was read, nobody is waiting, and the seats are there. The row is touched last,
just before the commit, so that its lock is held for a round trip or two. ``CHECK`` constraints stand behind it. See
docs/decisions/seats.md.
"""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q

from eventhub_config.shared.errors import DomainError, NotVisible
from events.availability import Offer, why_refused
from events.models import Event, TicketType


class EventChanged(DomainError):
    code = "event_changed"
    title = "The event was changed while you booked. Look at it again."


def read_offer(event_id: int) -> Offer:
    """Return an event with its ticket types as they stand, unlocked.

    :raises NotVisible: there is no such event.
    """
    kinds = list(TicketType.objects.select_related("event").filter(event_id=event_id))
    if kinds:
        return Offer(kinds[0].event, {kind.pk: kind for kind in kinds})
    event = Event.objects.filter(pk=event_id).first()
    if event is None:
        raise NotVisible
    return Offer(event, {})


def lock_event(event_id: int) -> Event:
    """Lock an event's row, and with it the right to change its seats, and return it as it stands.

    First in the lock order, after a user. ``no_key``: inserting a booking holds a key-share lock on its event, which
    a plain FOR UPDATE would wait for while that insert waits for us.
    """
    return Event.objects.select_for_update(no_key=True).get(pk=event_id)


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
    """Give seats back (ticket type id -> how many). The caller holds the event's lock and moved the booking's state."""
    given = {type_id: -count for type_id, count in seats.items()}
    if not _change_counters(event_id, given, event_guard=Q(), type_guards={}):
        raise RuntimeError(f"Event {event_id} has fewer seats taken than are given back: {dict(seats)}")


def _take(offer: Offer, wanted: Mapping[int, int], now: datetime) -> bool:
    if not settings.SEAT_GUARD:  # the race tests' control: decide on what was read, as if nobody else were there
        refusal = why_refused(offer, wanted, now)
        if refusal:
            raise refusal
        return _change_counters(offer.event.pk, wanted, event_guard=Q(), type_guards={})
    seats = sum(wanted.values())
    event_guard = Q(status=Event.Status.PUBLISHED, version=offer.event.version) & (
        Q(capacity=None) | Q(seats_taken__lte=F("capacity") - seats)
    )
    if offer.event.registration_deadline is None:  # the version read says that it still is
        event_guard &= Q(starts_at__gt=now)
    else:
        event_guard &= Q(registration_deadline__gt=now)
    type_guards = {type_id: _type_guard(count, now) for type_id, count in wanted.items()}
    return _change_counters(offer.event.pk, wanted, event_guard=event_guard, type_guards=type_guards)


def _type_guard(seats: int, now: datetime) -> Q:
    return (
        Q(waiting_count=0)
        & (Q(quantity=None) | Q(seats_taken__lte=F("quantity") - seats))
        & (Q(sales_start_at=None) | Q(sales_start_at__lte=now))
        & (Q(sales_end_at=None) | Q(sales_end_at__gt=now))
    )


def _change_counters(event_id: int, change: Mapping[int, int], *, event_guard: Q, type_guards: Mapping[int, Q]) -> bool:
    """Add to the counters of the event and its types, all or none. Return whether every guard held."""
    total = sum(change.values())
    if not _add(Event, event_id, total, event_guard):
        return False
    done: list[int] = []
    for type_id in sorted(change):
        if not _add(TicketType, type_id, change[type_id], type_guards.get(type_id, Q())):
            # We hold the event's row now: put back what was added, in the same transaction.
            _add(Event, event_id, -total, Q())
            for other in done:
                _add(TicketType, other, -change[other], Q())
            return False
        done.append(type_id)
    return True


def _add(model: type[Event] | type[TicketType], pk: int, seats: int, guard: Q) -> bool:
    rows = model._base_manager.filter(guard, pk=pk)
    if seats < 0:
        rows = rows.filter(seats_taken__gte=-seats)
    return bool(rows.update(seats_taken=F("seats_taken") + seats))


def _terms(offer: Offer, wanted: Mapping[int, int]) -> list[object]:
    """What a booking copies from the offer: if any of it changed, the booking would promise something else."""
    event = offer.event
    kinds = [offer.types[type_id] for type_id in sorted(wanted)]
    return [
        event.currency,
        event.refund_policy,
        event.refund_until,
        event.refund_percent,
        event.starts_at,
        *((kind.price, kind.min_per_booking, kind.max_per_booking) for kind in kinds),
    ]
