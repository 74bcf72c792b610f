"""Booking seats."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q

from bookings import signals
from bookings.models import ATTENDEE_NAME_MAX_LENGTH, Booking, Ticket
from bookings.services.closing import expire_overdue_holds
from bookings.services.queue import give_up_places, lapse_overdue_offers
from bookings.services.standing import Standing, read_standing
from eventhub_config.shared import money
from eventhub_config.shared.errors import Busy, DomainError, InvalidInput, NotVisible
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from events.availability import Offer, SalesNotStarted, SoldOut, why_closed, why_refused
from events.models import Event, TicketType
from events.services import lock_event, read_offer, take_seats
from users.models import CustomUser


class AlreadyBooked(DomainError):
    code = "already_booked"
    title = "You have a booking for this event."


class TooManySeats(DomainError):
    code = "too_many_seats"
    title = "That is more than one booking may have."


class TooFewSeats(DomainError):
    code = "too_few_seats"
    title = "That is less than one booking must have."


class TooManyOpenHolds(DomainError):
    code = "too_many_open_holds"
    title = "Pay or cancel your other unpaid bookings first."


class BookingPaused(DomainError):
    code = "booking_paused"
    title = "You let several unpaid bookings run out. Wait a while before you book again."


@dataclass(frozen=True)
class TicketRequest:
    """Some seats of one type that somebody asks for; a name is for one seat."""

    ticket_type: int
    quantity: int = 1
    attendee_name: str = ""
    attendee_email: str = ""


@dataclass(frozen=True)
class BookingRequest:
    """What somebody asks for; no tickets means one of the first type on sale."""

    event_id: int
    tickets: Sequence[TicketRequest] = ()
    special_requirements: Mapping[str, str] = field(default_factory=dict)
    billing: Mapping[str, str] = field(default_factory=dict)


def book_seats(
    *, user: CustomUser, request: BookingRequest, now: datetime, key: IdempotencyKey | None = None
) -> Booking:
    """Book seats: confirmed at once when free, else held until a deadline.

    :raises InvalidInput: there is no such event or ticket type for this user.
    :raises CannotBook: one of its subclasses says why the event cannot be booked.
    :raises AlreadyBooked: they have an active booking for it.
    :raises TooManySeats: more than the ticket type or the installation allows.
    :raises TooFewSeats: less than the ticket type asks for.
    :raises TooManyOpenHolds: they hold too many unpaid bookings.
    :raises BookingPaused: they let too many of them run out.
    :raises EventChanged: prices or terms changed in the same moment.
    """
    key = key or IdempotencyKey()
    try:
        return _book(user=user, request=request, now=now, key=key)
    # Holds that have run out count no more by the clock, whether or not the sweep has run.
    except SoldOut:
        if not free_overdue_seats(event_id=request.event_id, now=now):
            raise
    except (AlreadyBooked, TooManyOpenHolds):
        if not expire_overdue_holds(held=Q(user_id=user.pk), now=now):
            raise
    return _book(user=user, request=request, now=now, key=key)


@unit_of_work
def _book(*, user: CustomUser, request: BookingRequest, now: datetime, key: IdempotencyKey) -> Booking:
    made_before = key.find(Booking)
    if made_before is not None:
        return made_before
    offer = offer_to(user, request.event_id)
    tickets = _tickets(offer, request.tickets, user, now)
    wanted = Counter(ticket.ticket_type_id for ticket in tickets)
    total = sum((ticket.price for ticket in tickets), money.ZERO)
    if total and why_refused(offer, wanted, now) is None:  # a refusal needs no lock
        lock_user(user)
    standing = read_standing(user, offer.event.pk, now=now)
    if standing.waits and standing.booking is None:
        offer, standing = _without_waiting(user, offer, now)
    refusal = why_not_booked(offer, wanted, standing, now)
    if refusal:
        raise refusal

    booking = write_booking(user, offer.event, tickets, request, now=now)
    key.record(booking, status=201, now=now)
    take_seats(offer, wanted, now=now)  # last: the event's row is hot
    return booking


def _without_waiting(user: CustomUser, offer: Offer, now: datetime) -> tuple[Offer, Standing]:
    """Return the offer and the person's standing once they have left the queue: whoever books by themselves waits no
    more. If that booking is refused after all, their place stays theirs, with everything else.
    """
    lock_user(user)
    give_up_places(user_ids=[user.pk], event=lock_event(offer.event.pk), actor=user, now=now)
    return read_offer(offer.event.pk), read_standing(user, offer.event.pk, now=now)


def write_booking(
    user: CustomUser, event: Event, tickets: list[Ticket], request: BookingRequest, *, now: datetime
) -> Booking:
    """Write a booking with these tickets, and say that it was made. Its seats are the caller's business."""
    total = sum((ticket.price for ticket in tickets), money.ZERO)
    booking = _new_booking(user, event, request, seats=len(tickets), total=total, now=now)
    for ticket in tickets:
        ticket.booking, ticket.status_changed_at = booking, now
    insert_rows(tickets)
    booking.written_tickets = tickets
    booking.record_creation(actor=user, at=now)
    happened = signals.booking_placed if total else signals.booking_confirmed
    happened.send(sender=Booking, booking=booking, now=now)
    return booking


def free_overdue_seats(*, event_id: int, now: datetime) -> int:
    """Give back what is held for unpaid bookings and offers of an event whose time has run out; return how many."""
    overdue = expire_overdue_holds(held=Q(event_id=event_id), now=now)
    return overdue + lapse_overdue_offers(event_id=event_id, now=now)


def offer_to(user: CustomUser, event_id: int) -> Offer:
    try:
        offer = read_offer(event_id)
    except NotVisible:
        offer = None
    if offer is None or not (offer.event.published_at or offer.event.is_run_by(user)):
        raise InvalidInput.unknown("event")
    return offer


def _tickets(offer: Offer, requests: Sequence[TicketRequest], user: CustomUser, now: datetime) -> list[Ticket]:
    if not requests:
        requests = [TicketRequest(ticket_type=default_type(offer, now).pk)]
    tickets = []
    for index, request in enumerate(requests):
        kind = offer.types.get(request.ticket_type)
        if kind is None or not kind.is_visible:
            raise InvalidInput.unknown(f"tickets.{index}.ticket_type")
        tickets += [
            Ticket(
                event=offer.event,
                ticket_type=kind,
                price=kind.price,
                attendee_name=request.attendee_name,
                attendee_email=request.attendee_email,
            )
            for _ in range(min(request.quantity, settings.MAX_SEATS_PER_BOOKING + 1))
        ]
    name_first(tickets, user)
    return tickets


def name_first(tickets: list[Ticket], user: CustomUser) -> None:
    """Take the first seat to be for whoever books, unless it is named."""
    if not tickets[0].attendee_name:
        tickets[0].attendee_name = user.display_name[:ATTENDEE_NAME_MAX_LENGTH]
        tickets[0].attendee_email = tickets[0].attendee_email or user.email


def default_type(offer: Offer, now: datetime) -> TicketType:
    """Return what a booking of the event alone is for: the first type of which one seat can be booked now.

    If there is none, the first that there is: its refusal tells why.

    :raises CannotBook: the event is closed, or has nothing to sell.
    """
    closed = why_closed(offer.event, now)
    if closed:
        raise closed
    visible = offer.on_view()
    if not visible:
        raise SalesNotStarted
    on_sale = offer.on_sale(now)
    singly = [kind for kind in on_sale if kind.min_per_booking == 1]
    return (singly or on_sale or visible)[0]


def why_not_booked(offer: Offer, wanted: Mapping[int, int], standing: Standing, now: datetime) -> DomainError | None:
    """Return why this person cannot book these seats (ticket type id -> how many) now, or None.

    The only definition: ``book_seats`` refuses with it, and ``eligibility`` tells it beforehand.
    """
    closed = why_closed(offer.event, now)
    if closed:
        return closed()
    if standing.booking:
        return AlreadyBooked()
    refusal = why_refused(offer, wanted, now)
    if refusal:
        return refusal()
    if any(offer.types[type_id].price for type_id in wanted):
        hoarding = why_no_hold(standing)
        if hoarding:
            return hoarding
    return beyond_limits(offer, wanted)


def why_no_hold(standing: Standing) -> DomainError | None:
    """Return why this person cannot hold any more seats without having paid, or None."""
    if standing.open_holds >= settings.MAX_OPEN_HOLDS:
        return TooManyOpenHolds()
    if standing.pause is not None:
        seconds = max(1, math.ceil(standing.pause.total_seconds()))
        return BookingPaused(headers={"Retry-After": str(seconds)})
    return None


def beyond_limits(offer: Offer, wanted: Mapping[int, int]) -> DomainError | None:
    if sum(wanted.values()) > settings.MAX_SEATS_PER_BOOKING:
        return TooManySeats(f"One booking has {settings.MAX_SEATS_PER_BOOKING} seats at most.")
    for type_id, seats in wanted.items():
        kind = offer.types[type_id]
        if seats > kind.max_per_booking:
            return TooManySeats(f"One booking has {kind.max_per_booking} seats of “{kind.name}” at most.")
        if seats < kind.min_per_booking:
            return TooFewSeats(f"One booking has {kind.min_per_booking} seats of “{kind.name}” at least.")
    return None


def lock_user(user: CustomUser) -> None:
    """Let one paid booking of a person be decided at a time, so that their open holds can be counted."""
    CustomUser.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def lock_users(users: Iterable[CustomUser]) -> None:
    """Lock several people, in the order of their ids."""
    rows = CustomUser.objects.select_for_update(no_key=True).filter(pk__in=[user.pk for user in users])
    bool(rows.order_by("pk").values_list("pk"))


def _new_booking(
    user: CustomUser, event: Event, request: BookingRequest, *, seats: int, total: Any, now: datetime
) -> Booking:
    booking = Booking(
        user=user,
        event=event,
        status=Booking.Status.PENDING if total else Booking.Status.CONFIRMED,
        status_changed_at=now,
        seats=seats,
        total_amount=total,
        amount_due=total,
        currency=event.currency,
        tax_rate=event.tax_rate,
        refund_policy=event.refund_policy,
        refund_until=event.refund_until or event.starts_at,
        refund_percent=event.refund_percent,
        special_requirements=dict(request.special_requirements),
        billing=dict(request.billing),
        expires_at=now + timedelta(minutes=settings.HOLD_MINUTES) if total else None,
        confirmed_at=None if total else now,
        created_at=now,
    )
    try:
        insert_rows([booking])
    except IntegrityError as error:
        if "reference" in str(error):  # drawn twice: one chance in 2**40 for each booking there is
            raise Busy from error
        # The same person in the same moment, from another tab.
        raise AlreadyBooked from error
    return booking
