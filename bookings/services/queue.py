"""The queue for seats: who is served next, and how a place in it ends.

An entry is made and moved under its event's lock only, so whoever holds that lock sees the queue as it is. Freed seats
are offered in the transaction that frees them: no moment lies between in which somebody else could take them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet

from bookings import signals
from bookings.models import Booking, Waitlist
from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.transactions import unit_of_work
from events.availability import why_closed, why_not_on_sale
from events.models import Event, TicketType
from events.services import count_waiting, hold_seats, lock_event, release_seats

QUEUE = System("waitlist")
OFFERS_AT_ONCE = 20  # in one transaction, so that the event's row is not locked for long
_READ_AT_ONCE = 25


def offer_freed_seats(event: Event, *, now: datetime) -> None:
    """Offer whatever seats are free to those who wait for them, in their order.

    Called by everything that frees seats, in the same transaction, after ``release_seats``. The caller holds the
    event's lock. What is left beyond ``OFFERS_AT_ONCE`` is found by a worker, and by a sweep.
    """
    if len(promote(event, now=now, limit=OFFERS_AT_ONCE)) == OFFERS_AT_ONCE:
        signals.offers_left.send(sender=Waitlist, event=event, now=now)


def promote(
    event: Event, *, now: datetime, limit: int, skip_blocked: bool = False, only_type: int | None = None
) -> list[Waitlist]:
    """Offer free seats to at most ``limit`` parties, and return them: the one promoter. The caller holds the event's
    lock.

    ``skip_blocked``: pass over a party that is too large for what is free at once, instead of after a while.
    """
    kinds = TicketType.objects.filter(event_id=event.pk, waiting_count__gt=0)
    if only_type is not None:
        kinds = kinds.filter(pk=only_type)
    waited_for = [kind for kind in kinds if why_not_on_sale(kind, now) is None]
    # As it stands: seats were given back since the caller read it.
    fresh = Event.objects.filter(pk=event.pk).first() if waited_for else None
    if fresh is None or why_closed(fresh, now):
        return []
    return _Promotion(fresh, waited_for, now, skip_blocked).run(limit)


@unit_of_work
def serve_some(*, event_id: int, now: datetime, limit: int = OFFERS_AT_ONCE) -> int:
    """Offer an event's free seats to at most ``limit`` parties; return how many were served."""
    return len(promote(lock_event(event_id), now=now, limit=limit))


def follow_sales(event: Event, *, now: datetime) -> None:
    """Serve those who wait after an edit of capacity, quantity or times. The caller holds the event's lock."""
    open_offers = Waitlist.objects.filter(event=event, status=Waitlist.Status.OFFERED)
    open_offers.filter(offer_expires_at__gt=event.closes_at).update(offer_expires_at=event.closes_at)
    offer_freed_seats(event, now=now)


def lock_entry(entry_id: int) -> tuple[Event, Waitlist]:
    """Lock an entry with its event, in that order, and return both as they stand."""
    event = lock_event(Waitlist.objects.values_list("event_id", flat=True).get(pk=entry_id))
    entry = Waitlist.objects.select_for_update(no_key=True).get(pk=entry_id)
    entry.event = event
    return event, entry


def end_place(entry: Waitlist, status: str, *, actor: Actor, now: datetime, note: str = "") -> None:
    """End somebody's place, and give back what is held or counted for it. The caller holds the event's lock and offers
    what was freed to the next.

    :raises InvalidTransition: it has ended already, or is not in the state that this would end.
    """
    was_offered = entry.status == Waitlist.Status.OFFERED
    entry.move_to(status, actor=actor, at=now, note=note)
    if was_offered:
        release_seats(entry.event_id, {entry.ticket_type_id: entry.seats})
    else:
        count_waiting(entry.ticket_type_id, -1)


def give_up_places(*, user_ids: Collection[int], event: Event, actor: Actor, now: datetime) -> None:
    """End the places of people who get a booking of the event some other way.

    The caller holds the event's lock. What was held for them goes to the next before they book.
    """
    entries = list(Waitlist.objects.active().filter(user_id__in=user_ids, event=event).order_by("pk"))
    for entry in entries:
        end_place(entry, Waitlist.Status.LEFT, actor=actor, now=now, note="Booked without waiting.")
    if entries:
        offer_freed_seats(event, now=now)


@unit_of_work
def lapse_offer(*, entry_id: int, now: datetime) -> bool:
    """Pass on seats whose offer has run out; return whether it was this call that did."""
    event, entry = lock_entry(entry_id)
    if not entry.is_overdue(now):
        return False
    end_place(entry, Waitlist.Status.LAPSED, actor=System("sweep_offers"), now=now)
    signals.offer_lapsed.send(sender=Waitlist, entry=entry, now=now)
    offer_freed_seats(event, now=now)
    return True


def lapse_overdue_offers(*, event_id: int, now: datetime) -> int:
    """Pass on the seats of an event whose offers have run out; return how many offers."""
    overdue = Waitlist.objects.filter(event_id=event_id, status=Waitlist.Status.OFFERED, offer_expires_at__lte=now)
    ids = list(overdue.order_by("offer_expires_at", "pk").values_list("pk", flat=True)[:100])
    return sum(lapse_offer(entry_id=entry_id, now=now) for entry_id in ids)


@dataclass
class _Promotion:
    """One run over the queues of an event."""

    event: Event
    kinds: list[TicketType]
    now: datetime
    skip_blocked: bool
    passing_over: set[int] = field(default_factory=set)  # types whose first party has waited long enough
    beyond_reach: set[int] = field(default_factory=set)  # types with a party in front that no seats will ever do for

    def run(self, limit: int) -> list[Waitlist]:
        kinds = {kind.pk: kind for kind in self.kinds}
        queues = {pk: _in_order(pk) for pk in kinds}
        heads = {pk: next(queue, None) for pk, queue in queues.items()}
        served: list[Waitlist] = []
        while len(served) < limit:
            # Across types the longest wait goes first.
            first = min((head for head in heads.values() if head), key=lambda entry: entry.pk, default=None)
            if first is None:
                return served
            kind = kinds[first.ticket_type_id]
            if self._is_moot(first) or self._is_beyond_reach(first, kind):
                heads[kind.pk] = next(queues[kind.pk], None)
                continue
            entry = self._who_fits(first, kind)
            if entry is None:
                heads[kind.pk] = None
                continue
            if kind.pk in self.beyond_reach or entry is not first:
                self._pass_over(entry)
            self._offer(entry, kind)
            served.append(entry)
            if entry is first:
                heads[kind.pk] = next(queues[kind.pk], None)
        for head in filter(None, heads.values()):
            if self._room(kinds[head.ticket_type_id]) == 0:
                self._note_block(head, None)
        return served

    def _is_moot(self, entry: Waitlist) -> bool:
        """Close the place of somebody who has booked meanwhile, or cannot sign in any more; return whether it was."""
        if entry.has_booked:  # type: ignore[attr-defined]  # annotated
            reason = "Has a booking."
        elif not entry.user_is_active:  # type: ignore[attr-defined]
            reason = "The account is not active."
        else:
            return False
        end_place(entry, Waitlist.Status.CLOSED, actor=QUEUE, now=self.now, note=reason)
        return True

    def _is_beyond_reach(self, entry: Waitlist, kind: TicketType) -> bool:
        """Return whether a party is larger than all the seats there are, since an edit took some away.

        It keeps its place, in case they come back, but nobody waits with it.
        """
        most = min((count for count in (self.event.capacity, kind.quantity) if count is not None), default=None)
        if most is None or entry.seats <= most:
            return False
        self._note_block(entry, None)
        self.beyond_reach.add(kind.pk)
        return True

    def _who_fits(self, first: Waitlist, kind: TicketType) -> Waitlist | None:
        """Return who is served next of a type: its first party, or, after a while, the next that is small enough."""
        room = self._room(kind)
        if room is None or first.seats <= room:
            return first
        if room == 0:
            self._note_block(first, None)
            return None
        if kind.pk not in self.passing_over and not self._has_blocked_long(first):
            self._note_block(first, first.blocked_since or self.now)
            return None
        smaller = _queue_of(kind.pk).filter(seats__lte=room, pk__gt=first.pk)
        for entry in smaller[:_READ_AT_ONCE]:
            if self._is_moot(entry):
                continue
            self.passing_over.add(kind.pk)
            return entry
        # One hour of waiting was for all the seats that lay idle: they went to everybody whom they fit. Whatever is
        # freed after that is waited with anew.
        if kind.pk in self.passing_over:
            self._note_block(first, None)
        elif first.blocked_since is None:
            self._note_block(first, self.now)
        return None

    def _has_blocked_long(self, first: Waitlist) -> bool:
        if self.skip_blocked:
            return True
        if first.blocked_since is None:
            return False
        return self.now - first.blocked_since >= timedelta(minutes=settings.WAITLIST_SKIP_AFTER_MINUTES)

    def _room(self, kind: TicketType) -> int | None:
        counts = [count for count in (self.event.seats_left, kind.seats_left) if count is not None]
        return min(counts, default=None)

    def _note_block(self, first: Waitlist, since: datetime | None) -> None:
        if first.blocked_since != since:
            first.blocked_since = since
            first.save(update_fields=["blocked_since"])

    def _pass_over(self, entry: Waitlist) -> None:
        """Let those who are overtaken see that they were, and why nothing came."""
        before = Waitlist.objects.in_queue().filter(ticket_type_id=entry.ticket_type_id, pk__lt=entry.pk)
        before.order_by().update(passed_over_at=self.now)

    def _offer(self, entry: Waitlist, kind: TicketType) -> None:
        if not hold_seats(self.event.pk, {kind.pk: entry.seats}):
            raise RuntimeError(f"Event {self.event.pk} has fewer seats than were counted under its lock.")
        self.event.seats_taken += entry.seats
        kind.seats_taken += entry.seats
        count_waiting(kind.pk, -1)
        entry.offered_at = self.now
        entry.offer_expires_at = offer_deadline(self.event, kind, self.now)
        entry.blocked_since = None
        entry.event, entry.ticket_type = self.event, kind
        entry.move_to(
            Waitlist.Status.OFFERED,
            actor=QUEUE,
            at=self.now,
            also=["offered_at", "offer_expires_at", "blocked_since"],
        )
        signals.seat_offered.send(sender=Waitlist, entry=entry, now=self.now)


def offer_deadline(event: Event, kind: TicketType, now: datetime) -> datetime:
    """Return until when seats offered now are held: nobody can book them later than anybody else could."""
    latest = [now + timedelta(minutes=settings.WAITLIST_OFFER_MINUTES), event.closes_at]
    return min([*latest, kind.sales_end_at] if kind.sales_end_at else latest)


def _queue_of(ticket_type_id: int) -> QuerySet[Waitlist]:
    booked = Booking.objects.active().filter(user_id=OuterRef("user_id"), event_id=OuterRef("event_id"))
    queue = Waitlist.objects.in_queue().filter(ticket_type_id=ticket_type_id)
    return queue.annotate(has_booked=Exists(booked), user_is_active=F("user__is_active"))


def _in_order(ticket_type_id: int) -> Iterator[Waitlist]:
    """Walk along a queue, a few entries at a time."""
    last = 0
    while True:
        entries = list(_queue_of(ticket_type_id).filter(pk__gt=last)[:_READ_AT_ONCE])
        yield from entries
        if len(entries) < _READ_AT_ONCE:
            return
        last = entries[-1].pk
