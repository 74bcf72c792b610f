"""Complimentary bookings: what those who run an event give away, one by one or many at once, all of them or none.

They are confirmed at once and cost nothing. Capacity and quantities hold, and nobody is let past people who wait; what
is for buyers (sales windows, limits of a ticket type, whether it is on view) does not count. Whether an address has an
account is not told by anything here: see docs/decisions/complimentary-bookings.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError

from bookings import signals
from bookings.models import Booking, Ticket
from bookings.services.booking import AlreadyBooked, TooManySeats, free_overdue_seats, lock_users
from bookings.services.queue import give_up_places
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor, actor_label
from eventhub_config.shared.errors import Busy, DomainError, InvalidInput
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.throttling import Limit
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.shared.transitions import record_creations
from events.availability import EventIsCancelled, NotPublished, Offer, SoldOut, WaitlistOpen
from events.models import Event, TicketType
from events.services import hold_seats, lock_event, note_first_booking, read_offer
from events.services.editing import EventIsOver, require_owner
from events.services.seats import EventChanged
from users.models import CustomUser, address_key
from users.services import accounts_of, invitations_for, invite

MOST_AT_ONCE = 500
_ROWS_PER_STATEMENT = 500
_ATTEMPTS = 3
_OTHERS_WAIT = "People are waiting for these seats, and nobody is given seats before them."


@dataclass(frozen=True)
class Gift:
    """Some seats that somebody is to get for nothing, and why. Without a type they are of the event's first."""

    email: str
    reason: str
    name: str = ""
    ticket_type: int | None = None
    quantity: int = 1


@dataclass(frozen=True)
class Refused:
    """Why one of several gifts cannot be given; ``index`` counts from 0."""

    index: int
    field: str
    refusal: DomainError


class GiftsRefused(DomainError):
    code = "rows_refused"
    title = "Some lines cannot be accepted. Nothing was booked."

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__()
        self.refused = list(refused)


class InvitationsPaused(DomainError):
    code = "invitations_paused"
    title = "You have given seats to as many people as you may within a day. Go on later."


def give_booking(
    *, event_id: int, gift: Gift, actor: Actor, now: datetime, key: IdempotencyKey | None = None
) -> Booking:
    """Book seats for somebody for nothing, by those who run the event, until it ends; an account is made if needed.

    :raises NotVisible: there is no such event.
    :raises NotOwner: somebody else runs it.
    :raises NotPublished: it is a draft.
    :raises EventIsCancelled: it was cancelled.
    :raises EventIsOver: it has ended.
    :raises InvalidInput: it has no such ticket type.
    :raises TooManySeats: more than one booking may have.
    :raises AlreadyBooked: they have an active booking for it.
    :raises SoldOut: the seats are not there.
    :raises WaitlistOpen: people are waiting for them.
    :raises EventChanged: it was edited in the same moment.
    :raises InvitationsPaused: the actor has given to too many people since yesterday.
    """
    try:
        return _give_all(event_id=event_id, gifts=[gift], actor=actor, now=now, key=key or IdempotencyKey())[0]
    except GiftsRefused as error:
        raise error.refused[0].refusal from error


def give_bookings(*, event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime) -> list[Booking]:
    """Give many at once, at most ``MOST_AT_ONCE``: all of them or, if one is refused, none.

    :raises GiftsRefused: names each that cannot be given, with its own reason. Else as ``give_booking``.
    """
    return _give_all(event_id=event_id, gifts=gifts, actor=actor, now=now, key=IdempotencyKey())


def why_not_given(*, event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime) -> list[Refused]:
    """Return which of these gifts would be refused now, and why. Nothing is booked, and no account made.

    :raises DomainError: none could be given: as ``give_booking``.
    """
    refused = _look(event_id, gifts, actor, now)
    if _wants_seats(refused) and free_overdue_seats(event_id=event_id, now=now):
        refused = _look(event_id, gifts, actor, now)
    return refused


def _look(event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime) -> list[Refused]:
    offer = _offer_of(event_id, actor, now)
    return list(_refusals(offer, gifts, accounts_of(gift.email for gift in gifts)))


def _give_all(
    *, event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime, key: IdempotencyKey
) -> list[Booking]:
    # Everybody on a list gets a mail that says what an organizer likes: nobody is to send them without end.
    limit, giver = Limit("gifts", settings.GIFTS_PER_DAY, timedelta(days=1), strict=True), actor_label(actor)
    rate = limit.count(giver, len(gifts))
    done = False
    try:
        if rate and rate.exceeded:
            raise InvitationsPaused(headers={"Retry-After": str(rate.reset_seconds)})
        made = _give_in_time(event_id=event_id, gifts=gifts, actor=actor, now=now, key=key)
        done = not key.replayed
    finally:
        if not done:
            limit.give_back(giver, len(gifts))
    return made


def _give_in_time(
    *, event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime, key: IdempotencyKey
) -> list[Booking]:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _give(event_id=event_id, gifts=gifts, actor=actor, now=now, key=key)
        except GiftsRefused as error:
            # Holds that have run out count no more by the clock, whether or not the sweep has run.
            if not _wants_seats(error.refused) or not free_overdue_seats(event_id=event_id, now=now):
                raise
        except (EventChanged, SoldOut, WaitlistOpen, AlreadyBooked):
            # Somebody came between looking and taking: look again, and say which of them is refused.
            if attempt == _ATTEMPTS:
                raise
    raise Busy


@unit_of_work
def _give(*, event_id: int, gifts: Sequence[Gift], actor: Actor, now: datetime, key: IdempotencyKey) -> list[Booking]:
    made_before = key.find(Booking)
    if made_before is not None:
        return [made_before]
    offer = _offer_of(event_id, actor, now)
    known = accounts_of(gift.email for gift in gifts)
    refused = list(_refusals(offer, gifts, known))
    if refused:
        raise GiftsRefused(refused)
    people = invite(emails=[gift.email for gift in gifts], actor=actor, now=now)
    lock_users(people.values())  # one who takes an offer of the waitlist holds the event, and then wants to book it
    # In one order for everybody: two that give to the same people wait for each other, and never in a circle.
    ordered = sorted(gifts, key=lambda gift: address_key(gift.email))
    invitations = invitations_for(users=people.values(), now=now)
    made = _insert(offer, ordered, people, actor, now)
    for booking in made:
        invitation = invitations.get(booking.user_id)
        signals.booking_given.send(sender=Booking, booking=booking, invitation=invitation, actor=actor, now=now)
    bookings = {booking.user.email_key: booking for booking in made}
    in_order = [bookings[address_key(gift.email)] for gift in gifts]
    key.record(in_order[0], status=201, now=now)
    _take(offer, made, actor, now)
    return in_order


def _offer_of(event_id: int, actor: Actor, now: datetime) -> Offer:
    """Return what can be given away of an event."""
    offer = read_offer(event_id)
    require_owner(offer.event, actor)
    _require_open(offer.event, now)
    return offer


def _require_open(event: Event, now: datetime) -> None:
    if event.status == Event.Status.CANCELLED:
        raise EventIsCancelled
    if event.status == Event.Status.DRAFT:
        raise NotPublished
    if event.status == Event.Status.COMPLETED or now >= event.ends_at:
        raise EventIsOver


def _refusals(offer: Offer, gifts: Sequence[Gift], known: Mapping[str, CustomUser]) -> Iterator[Refused]:
    """Yield why each gift cannot be given, as the rows were read."""
    booked = _who_has_booked(offer.event, known)
    left = {type_id: kind.seats_left for type_id, kind in offer.types.items()}
    left_of_event = offer.event.seats_left
    seen: set[str] = set()
    for index, gift in enumerate(gifts):
        person = address_key(gift.email)
        if person in seen:
            again = InvalidInput.field("email", "duplicate", "This address stands in a line before.")
            yield Refused(index, "email", again)
            continue
        seen.add(person)
        if person in booked:
            yield Refused(index, "email", AlreadyBooked("This person has a booking for this event."))
        kind = type_of(offer, gift)
        if kind is None:
            yield Refused(index, "ticket_type", InvalidInput.unknown("ticket_type"))
            continue
        if gift.quantity > settings.MAX_SEATS_PER_BOOKING:
            message = f"One booking has {settings.MAX_SEATS_PER_BOOKING} seats at most."
            yield Refused(index, "quantity", TooManySeats(message))
        elif kind.waiting_count:
            yield Refused(index, "ticket_type", WaitlistOpen(_OTHERS_WAIT))
        elif any(seats is not None and seats < gift.quantity for seats in (left[kind.pk], left_of_event)):
            yield Refused(index, "quantity", SoldOut())
        else:
            left[kind.pk] = _less(left[kind.pk], gift.quantity)
            left_of_event = _less(left_of_event, gift.quantity)


def _less(seats: int | None, taken: int) -> int | None:
    return None if seats is None else seats - taken


def _who_has_booked(event: Event, known: Mapping[str, CustomUser]) -> set[str]:
    people = {user.pk: key for key, user in known.items()}
    active = Booking.objects.active().filter(event=event, user_id__in=people)
    return {people[user_id] for user_id in active.values_list("user_id", flat=True)}


def type_of(offer: Offer, gift: Gift) -> TicketType | None:
    """Return the ticket type of a gift: any of the event's, hidden ones too."""
    if gift.ticket_type is not None:
        return offer.types.get(gift.ticket_type)
    in_order = sorted(offer.types.values(), key=lambda kind: (not kind.is_visible, kind.position, kind.pk))
    return in_order[0] if in_order else None


def _wants_seats(refused: Sequence[Refused]) -> bool:
    return any(isinstance(each.refusal, SoldOut) for each in refused)


def _insert(
    offer: Offer, gifts: Sequence[Gift], people: Mapping[str, CustomUser], actor: Actor, now: datetime
) -> list[Booking]:
    event = offer.event
    bookings, tickets = [], []
    for gift in gifts:
        kind = type_of(offer, gift)
        booking = Booking(
            user=people[address_key(gift.email)],
            event=event,
            status=Booking.Status.CONFIRMED,
            status_changed_at=now,
            seats=gift.quantity,
            total_amount=money.ZERO,
            amount_due=money.ZERO,
            currency=event.currency,
            tax_rate=event.tax_rate,
            refund_policy=event.refund_policy,
            refund_until=event.refund_until or event.starts_at,
            refund_percent=event.refund_percent,
            waiver_reason=gift.reason,
            invited_as=(gift.name or gift.email)[: Booking._meta.get_field("invited_as").max_length],
            confirmed_at=now,
            created_at=now,
        )
        booking.written_tickets = [
            Ticket(
                booking=booking,
                event=event,
                ticket_type=kind,
                price=money.ZERO,
                attendee_name=gift.name if seat == 0 else "",
                attendee_email=gift.email,
                status_changed_at=now,
            )
            for seat in range(gift.quantity)
        ]
        bookings.append(booking)
    try:
        insert_rows(bookings)
    except IntegrityError as error:
        if "reference" in str(error):
            raise Busy from error
        raise AlreadyBooked from error  # one of them booked in the same moment
    for booking in bookings:
        for ticket in booking.written_tickets or ():
            ticket.booking = booking  # which has an id by now
            tickets.append(ticket)
    for start in range(0, len(tickets), _ROWS_PER_STATEMENT):
        insert_rows(tickets[start : start + _ROWS_PER_STATEMENT])
    record_creations(bookings, actor=actor, at=now)
    return bookings


def _take(offer: Offer, made: Sequence[Booking], actor: Actor, now: datetime) -> None:
    """Take the seats under the event's lock, last: what was looked at without it is looked at again."""
    wanted = Counter(ticket.ticket_type_id for booking in made for ticket in booking.tickets_in_order())
    event = lock_event(offer.event.pk)
    _require_open(event, now)
    # Whoever is given a seat waits for none any more.
    give_up_places(user_ids=[booking.user_id for booking in made], event=event, actor=actor, now=now)
    fresh = read_offer(event.pk)
    if fresh.event.version != offer.event.version:
        raise EventChanged
    if any(fresh.types[type_id].waiting_count for type_id in wanted):
        raise WaitlistOpen(_OTHERS_WAIT)
    if not hold_seats(event.pk, wanted):
        raise SoldOut
    note_first_booking(event, now)
