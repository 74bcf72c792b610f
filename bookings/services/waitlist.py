"""The waitlist: joining it, leaving it, and what comes of an offer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bookings import signals
from bookings.models import Booking, Ticket, Waitlist
from bookings.services.booking import (
    AlreadyBooked,
    BookingRequest,
    TooManyOpenHolds,
    TooManySeats,
    beyond_limits,
    default_type,
    free_overdue_seats,
    lock_user,
    name_first,
    offer_to,
    why_no_hold,
    write_booking,
)
from bookings.services.closing import expire_overdue_holds
from bookings.services.queue import (
    OFFERS_AT_ONCE,
    QUEUE,
    end_place,
    lapse_offer,
    lock_entry,
    offer_freed_seats,
    promote,
    serve_some,
)
from bookings.services.standing import Standing, read_standing
from eventhub_config.shared.actors import Actor, is_person
from eventhub_config.shared.errors import DomainError, Forbidden, InvalidInput, InvalidTransition
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.shared.transitions import move_all
from events.availability import (
    CannotBook,
    EventIsCancelled,
    NotPublished,
    Offer,
    RegistrationClosed,
    SoldOut,
    WaitlistOpen,
    why_closed,
    why_not_on_sale,
    why_refused,
)
from events.models import Event, TicketType
from events.services import count_waiting, lock_event, note_first_booking, read_offer, release_seats
from events.services.editing import require_owner
from users.models import CustomUser

CLOSED_AT_ONCE = 100  # in one transaction, so that the event's row is not locked for long
_WHY_CLOSED: Mapping[type[CannotBook], str] = {
    EventIsCancelled: "The event was cancelled.",
    NotPublished: "The event was withdrawn.",
    RegistrationClosed: "Registration is over.",
}


class AlreadyWaiting(DomainError):
    code = "already_waiting"
    title = "You are on the waitlist of this event."


class SeatsAvailable(DomainError):
    code = "seats_available"
    title = "There are seats for you: book them."


class OfferLapsed(DomainError):
    code = "offer_lapsed"
    title = "The time to accept this offer has run out."


class NobodyWaiting(DomainError):
    code = "nobody_waiting"
    title = "Nobody is waiting for these seats."


class NotYourPlace(Forbidden):
    code = "not_your_place"
    title = "This place on the waitlist is somebody else's."


@dataclass(frozen=True)
class Attendee:
    """Who a seat is for."""

    attendee_name: str = ""
    attendee_email: str = ""


@dataclass(frozen=True)
class Acceptance:
    """What somebody says when they take the seats they are offered; seats that are not named stay unnamed."""

    attendees: Sequence[Attendee] = ()
    special_requirements: Mapping[str, str] = field(default_factory=dict)
    billing: Mapping[str, str] = field(default_factory=dict)


def join_waitlist(
    *,
    user: CustomUser,
    event_id: int,
    ticket_type: int | None = None,
    seats: int = 1,
    now: datetime,
    key: IdempotencyKey | None = None,
) -> Waitlist:
    """Queue for seats that cannot be booked: of the type named, or of the first that is sold out.

    :raises InvalidInput: there is no such event or ticket type for this user.
    :raises CannotBook: nothing of it is sold at this moment.
    :raises AlreadyBooked: they have an active booking for the event.
    :raises AlreadyWaiting: they have a place in its queue.
    :raises TooManySeats: more than one booking may have, or than there will ever be.
    :raises TooFewSeats: less than one booking must have.
    :raises SeatsAvailable: they could simply book.
    """
    free_overdue_seats(event_id=event_id, now=now)  # by the clock they are free
    return _join(
        user=user, event_id=event_id, ticket_type=ticket_type, seats=seats, now=now, key=key or IdempotencyKey()
    )


@unit_of_work
def _join(
    *, user: CustomUser, event_id: int, ticket_type: int | None, seats: int, now: datetime, key: IdempotencyKey
) -> Waitlist:
    made_before = key.find(Waitlist)
    if made_before is not None:
        return made_before
    offer_to(user, event_id)  # before the lock: what they may not know about, they do not hold up
    lock_event(event_id)
    offer = offer_to(user, event_id)
    kind = _type_to_wait_for(offer, ticket_type, seats, now)
    refusal = why_not_joined(offer, kind, seats, read_standing(user, event_id, now=now), now)
    if refusal:
        raise refusal
    entry = Waitlist(
        user=user,
        event=offer.event,
        ticket_type=kind,
        seats=seats,
        status=Waitlist.Status.WAITING,
        status_changed_at=now,
        created_at=now,
    )
    insert_rows([entry])
    entry.record_creation(actor=user, at=now)
    signals.waitlist_joined.send(sender=Waitlist, entry=entry, now=now)
    key.record(entry, status=201, now=now)
    count_waiting(kind.pk, 1)
    return entry


def _type_to_wait_for(offer: Offer, ticket_type: int | None, seats: int, now: datetime) -> TicketType:
    if ticket_type is not None:
        kind = offer.types.get(ticket_type)
        if kind is None or not kind.is_visible:
            raise InvalidInput.unknown("ticket_type")
        return kind
    full = [kind for kind in offer.on_view() if why_refused(offer, {kind.pk: seats}, now) in {SoldOut, WaitlistOpen}]
    return full[0] if full else default_type(offer, now)


def why_not_joined(offer: Offer, kind: TicketType, seats: int, standing: Standing, now: datetime) -> DomainError | None:
    """Return why this person cannot queue for seats of a type now, or None.

    The only definition: ``join_waitlist`` refuses with it, and ``eligibility`` tells it beforehand.
    """
    closed = why_closed(offer.event, now)
    if closed:
        return closed()
    if standing.booking:
        return AlreadyBooked()
    if standing.waits:
        return AlreadyWaiting()
    not_on_sale = why_not_on_sale(kind, now)
    if not_on_sale:
        return not_on_sale()
    most = min((count for count in (offer.event.capacity, kind.quantity) if count is not None), default=seats)
    if seats > most:
        return TooManySeats(f"There are {most} seats of “{kind.name}” altogether.")
    limits = beyond_limits(offer, {kind.pk: seats})
    if limits:
        return limits
    return None if why_refused(offer, {kind.pk: seats}, now) else SeatsAvailable()


def accept_offer(
    *,
    entry_id: int,
    actor: CustomUser,
    acceptance: Acceptance | None = None,
    now: datetime,
    key: IdempotencyKey | None = None,
) -> Waitlist:
    """Book the seats that are held for a party: confirmed at once when free, else pending with a deadline of its own.

    :raises NotYourPlace: it is somebody else's.
    :raises OfferLapsed: its time has run out; the seats go to the next at once.
    :raises InvalidTransition: nothing is offered.
    :raises CannotBook: the event is not open any more.
    :raises AlreadyBooked: they have an active booking for the event.
    :raises TooManyOpenHolds: they hold too many unpaid bookings.
    :raises BookingPaused: they let too many of them run out.
    :raises InvalidInput: more seats are named than there are.
    """
    key = key or IdempotencyKey()
    acceptance = acceptance or Acceptance()
    try:
        return _accept(entry_id=entry_id, actor=actor, acceptance=acceptance, now=now, key=key)
    except OfferLapsed:
        lapse_offer(entry_id=entry_id, now=now)  # not only when the sweep comes by
        raise
    except (AlreadyBooked, TooManyOpenHolds):
        if not expire_overdue_holds(held=Q(user_id=actor.pk), now=now):
            raise
    return _accept(entry_id=entry_id, actor=actor, acceptance=acceptance, now=now, key=key)


@unit_of_work
def _accept(
    *, entry_id: int, actor: CustomUser, acceptance: Acceptance, now: datetime, key: IdempotencyKey
) -> Waitlist:
    made_before = key.find(Waitlist)
    if made_before is not None:
        return made_before
    lock_user(actor)  # their open holds are counted; before the event: see lock order
    event, entry = lock_entry(entry_id)
    if not is_person(actor, entry.user_id):
        raise NotYourPlace
    if entry.status == Waitlist.Status.LAPSED:
        raise OfferLapsed
    _require_move(entry, Waitlist.Status.ACCEPTED)
    closed = why_closed(event, now)
    if closed:
        raise closed
    if entry.is_overdue(now):
        raise OfferLapsed
    kind = read_offer(event.pk).types[entry.ticket_type_id]
    standing = read_standing(actor, event.pk, now=now)
    if standing.booking:
        raise AlreadyBooked
    hoarding = why_no_hold(standing) if kind.price else None
    if hoarding:
        raise hoarding

    booking = write_booking(
        actor,
        event,
        _seats_of(entry, kind, acceptance, actor),
        BookingRequest(event.pk, (), acceptance.special_requirements, acceptance.billing),
        now=now,
    )
    note_first_booking(event, now)
    entry.booking = booking
    entry.move_to(Waitlist.Status.ACCEPTED, actor=actor, at=now, also=["booking"])
    key.record(entry, status=200, now=now)
    return entry


def _seats_of(entry: Waitlist, kind: TicketType, acceptance: Acceptance, user: CustomUser) -> list[Ticket]:
    named = list(acceptance.attendees)
    if len(named) > entry.seats:
        raise InvalidInput.field("attendees", "too_many", f"Seats that you were offered: {entry.seats}.")
    named += [Attendee()] * (entry.seats - len(named))
    tickets = [
        Ticket(
            event=entry.event,
            ticket_type=kind,
            price=kind.price,
            attendee_name=attendee.attendee_name,
            attendee_email=attendee.attendee_email,
        )
        for attendee in named
    ]
    name_first(tickets, user)
    return tickets


@unit_of_work
def decline_offer(*, entry_id: int, actor: Actor, now: datetime) -> Waitlist:
    """Turn down what is offered; the next are offered it at once.

    :raises NotYourPlace: it is somebody else's.
    :raises InvalidTransition: nothing is offered.
    """
    event, entry = lock_entry(entry_id)
    if not is_person(actor, entry.user_id):
        raise NotYourPlace
    _require_move(entry, Waitlist.Status.DECLINED)
    end_place(entry, Waitlist.Status.DECLINED, actor=actor, now=now)
    offer_freed_seats(event, now=now)
    return entry


@unit_of_work
def leave_waitlist(*, entry_id: int, actor: CustomUser, now: datetime) -> Waitlist:
    """Give up a place, whether or not seats are offered for it. Done by those who run the event, the person is told.

    :raises NotYourPlace: it is somebody else's, and the actor does not run the event.
    :raises InvalidTransition: it has ended already.
    """
    event, entry = lock_entry(entry_id)
    by_owner = is_person(actor, entry.user_id)
    if not by_owner and not event.is_run_by(actor):
        raise NotYourPlace
    status = Waitlist.Status.LEFT if by_owner else Waitlist.Status.CLOSED
    _require_move(entry, status)
    end_place(entry, status, actor=actor, now=now)
    if not by_owner:
        signals.waitlist_closed.send(sender=Waitlist, entry=entry, reason="The organizer removed you.", now=now)
    offer_freed_seats(event, now=now)
    return entry


def offer_next(*, event_id: int, ticket_type: int | None = None, actor: Actor, now: datetime) -> Waitlist:
    """Offer free seats to the next party that fits them, without waiting any longer for a larger one before it.

    :raises NotOwner: the actor does not run the event.
    :raises InvalidInput: the event has no such ticket type.
    :raises NobodyWaiting: the queue is empty.
    :raises CannotBook: the event is closed, the type is not on sale, or no party that waits fits the seats left.
    """
    free_overdue_seats(event_id=event_id, now=now)
    return _offer_next(event_id=event_id, ticket_type=ticket_type, actor=actor, now=now)


@unit_of_work
def _offer_next(*, event_id: int, ticket_type: int | None, actor: Actor, now: datetime) -> Waitlist:
    event = lock_event(event_id)
    require_owner(event, actor)
    closed = why_closed(event, now)
    if closed:
        raise closed
    kinds = read_offer(event_id).types
    if ticket_type is not None and ticket_type not in kinds:
        raise InvalidInput.unknown("ticket_type")
    asked = [kind for kind in kinds.values() if ticket_type in {None, kind.pk}]
    queued = [kind for kind in asked if kind.waiting_count]
    if not queued:
        raise NobodyWaiting
    served = promote(event, now=now, limit=1, skip_blocked=True, only_type=ticket_type)
    if served:
        return served[0]
    not_on_sale = [why_not_on_sale(kind, now) for kind in queued]
    raise next((reason for reason in not_on_sale if reason), SoldOut)("No party that waits fits the seats left.")


def tend_waitlist(*, event_id: int, now: datetime) -> int:
    """Bring an event's queue up to date: closed with the event's registration, else served; return what was done.

    In several transactions, each of which may be the last.
    """
    done = 0
    while closed := _close_some(event_id=event_id, now=now):
        done += closed
    while served := serve_some(event_id=event_id, now=now):
        done += served
        if served < OFFERS_AT_ONCE:
            break
    return done


@unit_of_work
def _close_some(*, event_id: int, now: datetime) -> int:
    """Close places whose time is over: all of them once the event is not open, else those of people who have booked, or
    who are offered seats and cannot sign in any more.
    """
    event = lock_event(event_id)
    closed = why_closed(event, now)
    left = Waitlist.objects.active().filter(event=event)
    chosen, reason = (left, _WHY_CLOSED[closed]) if closed else (moot(left), "Has a booking.")
    if not closed and not chosen.exists():
        chosen, reason = held_for_nobody(left), "The account is not active."
    entries = list(chosen.order_by("pk").select_related("ticket_type")[:CLOSED_AT_ONCE])
    offered: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    for entry in entries:
        entry.event = event
        if entry.status == Waitlist.Status.OFFERED:
            offered[entry.ticket_type_id] += entry.seats
        else:
            waiting[entry.ticket_type_id] += 1
    move_all(entries, Waitlist.Status.CLOSED, actor=QUEUE, at=now, note=reason)
    for entry in entries if closed else ():
        signals.waitlist_closed.send(sender=Waitlist, entry=entry, reason=reason, now=now)
    if offered:
        release_seats(event_id, offered)
    for type_id in sorted(waiting):
        count_waiting(type_id, -waiting[type_id])
    return len(entries)


def moot(entries: QuerySet[Waitlist]) -> QuerySet[Waitlist]:
    """Return the entries of people who have an active booking of the same event.

    Whoever books gives up their place with it; but a place that is taken in the same moment, from another tab, is not
    seen by a booking that is on its way.
    """
    booked = Booking.objects.active().filter(user_id=OuterRef("user_id"), event_id=OuterRef("event_id"))
    return entries.filter(Exists(booked))


def held_for_nobody(entries: QuerySet[Waitlist]) -> QuerySet[Waitlist]:
    """Return those whose seats are offered to somebody who was deactivated since, and could never accept them."""
    return entries.filter(status=Waitlist.Status.OFFERED, user__is_active=False)


def positions(entries: Sequence[Waitlist]) -> dict[int, int]:
    """Return the place in its queue, from 1, of each of these entries that waits; in one statement, or none."""
    waiting = [entry for entry in entries if entry.status == Waitlist.Status.WAITING]
    if not waiting:
        return {}
    kinds = sorted({entry.ticket_type_id for entry in waiting})
    asked = [entry.pk for entry in waiting]
    sql = _PLACES.format(kinds=", ".join(["%s"] * len(kinds)), asked=", ".join(["%s"] * len(asked)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*kinds, max(asked), *asked])
        return dict(cursor.fetchall())


# Plain SQL: the ORM would pick the entries asked for first, and number only those.
_PLACES = f"""
SELECT id, place FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY ticket_type_id ORDER BY id) AS place FROM {Waitlist._meta.db_table}
     WHERE status = 'waiting' AND ticket_type_id IN ({{kinds}}) AND id <= %s
) AS numbered WHERE id IN ({{asked}})
"""  # noqa: S608 (our own names)


def events_to_tend(now: datetime) -> list[int]:
    """Return the ids of events whose queues have something to be done: to be closed, cleared, or served.

    Those to be served come last and in no order: seats that are too few for whoever is first are found at every run,
    and however many such events there are, none of them is always before the others.
    """
    queued = Waitlist.objects.active().filter(event_id=OuterRef("pk"))
    is_open = Q(status=Event.Status.PUBLISHED, starts_at__gt=now) & (
        Q(registration_deadline=None) | Q(registration_deadline__gt=now)
    )
    served = TicketType.objects.filter(
        Q(sales_start_at=None) | Q(sales_start_at__lte=now),
        Q(sales_end_at=None) | Q(sales_end_at__gt=now),
        Q(quantity=None) | Q(quantity__gt=F("seats_taken")),
        event_id=OuterRef("pk"),
        waiting_count__gt=0,
    )
    to_close = Event.objects.filter(~is_open, Exists(queued))
    to_serve = Event.objects.filter(is_open, Q(capacity=None) | Q(capacity__gt=F("seats_taken")), Exists(served))
    to_clear = Event.objects.filter(is_open, Exists(moot(queued)) | Exists(held_for_nobody(queued)))
    found = [to_close.order_by("pk"), to_clear.order_by("pk"), to_serve.order_by("?")]
    return list(dict.fromkeys(pk for events in found for pk in events.values_list("pk", flat=True)))


def _require_move(entry: Waitlist, status: str) -> None:
    if not entry.may_move_to(status):
        if entry.status == Waitlist.Status.WAITING:
            raise InvalidTransition("No seats have been offered to this place yet.")
        raise InvalidTransition(f"This place on the waitlist has ended: {entry.get_status_display().lower()}.")
