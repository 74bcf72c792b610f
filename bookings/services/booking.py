"""Booking seats."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import Q

from bookings import signals
from bookings.models import ATTENDEE_NAME_MAX_LENGTH, Booking, Ticket
from bookings.services.closing import expire_overdue_holds
from eventhub_config.shared import money
from eventhub_config.shared.errors import Busy, DomainError, InvalidInput, NotVisible
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.transactions import unit_of_work
from events.availability import Offer, SalesNotStarted, SoldOut, why_closed, why_refused
from events.services import read_offer, take_seats
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
    :raises EventChanged: prices or terms changed in the same moment.
    """
    key = key or IdempotencyKey()
    try:
        return _book(user=user, request=request, now=now, key=key)
    # Holds that have run out count no more by the clock, whether or not the sweep has run.
    except SoldOut:
        if not expire_overdue_holds(held=Q(event_id=request.event_id), now=now):
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
    offer = _offer_to(user, request.event_id)
    tickets = _tickets(offer, request.tickets, user, now)
    wanted = Counter(ticket.ticket_type_id for ticket in tickets)
    refusal = why_refused(offer, wanted, now)
    if refusal:
        raise refusal
    _check_limits(offer, wanted)
    total = sum((ticket.price for ticket in tickets), money.ZERO)
    if total:
        _lock_user(user)
    _check_other_bookings(user, offer.event.pk, paid=bool(total))

    booking = _new_booking(user, offer, request, seats=len(tickets), total=total, now=now)
    for ticket in tickets:
        ticket.booking, ticket.status_changed_at = booking, now
    insert_rows(tickets)
    booking.written_tickets = tickets
    booking.record_creation(actor=user, at=now)
    happened = signals.booking_placed if total else signals.booking_confirmed
    happened.send(sender=Booking, booking=booking, now=now)
    key.record(booking, status=201, now=now)
    take_seats(offer, wanted, now=now)  # last: the event's row is hot
    return booking


def _offer_to(user: CustomUser, event_id: int) -> Offer:
    try:
        offer = read_offer(event_id)
    except NotVisible:
        offer = None
    if offer is None or not (offer.event.published_at or offer.event.is_run_by(user)):
        raise InvalidInput.field("event", "does_not_exist", "There is no such object.")
    return offer


def _tickets(offer: Offer, requests: Sequence[TicketRequest], user: CustomUser, now: datetime) -> list[Ticket]:
    if not requests:
        requests = [TicketRequest(ticket_type=_default_type(offer, now))]
    tickets = []
    for index, request in enumerate(requests):
        kind = offer.types.get(request.ticket_type)
        if kind is None or not kind.is_visible:
            raise InvalidInput.field(f"tickets.{index}.ticket_type", "does_not_exist", "There is no such object.")
        tickets += [
            Ticket(
                ticket_type=kind,
                price=kind.price,
                attendee_name=request.attendee_name,
                attendee_email=request.attendee_email,
            )
            for _ in range(min(request.quantity, settings.MAX_SEATS_PER_BOOKING + 1))
        ]
    if len(tickets) > settings.MAX_SEATS_PER_BOOKING:
        raise TooManySeats(f"One booking has {settings.MAX_SEATS_PER_BOOKING} seats at most.")
    if not tickets[0].attendee_name:
        tickets[0].attendee_name = user.display_name[:ATTENDEE_NAME_MAX_LENGTH]
        tickets[0].attendee_email = tickets[0].attendee_email or user.email
    return tickets


def _default_type(offer: Offer, now: datetime) -> int:
    """Return the first type that can be booked, or the first one there is: its refusal tells why."""
    closed = why_closed(offer.event, now)
    if closed:
        raise closed
    visible = offer.on_view()
    if not visible:
        raise SalesNotStarted
    on_sale = offer.on_sale(now)
    return (on_sale or visible)[0].pk


def _check_limits(offer: Offer, wanted: Mapping[int, int]) -> None:
    for type_id, seats in wanted.items():
        kind = offer.types[type_id]
        if seats > kind.max_per_booking:
            raise TooManySeats(f"One booking has {kind.max_per_booking} seats of “{kind.name}” at most.")
        if seats < kind.min_per_booking:
            raise TooFewSeats(f"One booking has {kind.min_per_booking} seats of “{kind.name}” at least.")


def _lock_user(user: CustomUser) -> None:
    """Let one paid booking of a person be decided at a time, so that their open holds can be counted."""
    CustomUser.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


# Plain SQL, like that of the seat engine and for the same reason.
_OTHER_BOOKINGS = f"""
SELECT event_id, status FROM {Booking._meta.db_table}
 WHERE user_id = %s AND (status = 'pending' OR event_id = %s AND status IN ('confirmed', 'no_show'))
"""  # noqa: S608 (our own names)


def _check_other_bookings(user: CustomUser, event_id: int, *, paid: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_BOOKINGS, [user.pk, event_id])
        others = cursor.fetchall()
    if any(other == event_id for other, _status in others):
        raise AlreadyBooked
    if paid and len(others) >= settings.MAX_OPEN_HOLDS:  # what is left of them is pending
        raise TooManyOpenHolds


def _new_booking(
    user: CustomUser, offer: Offer, request: BookingRequest, *, seats: int, total: Any, now: datetime
) -> Booking:
    event = offer.event
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
