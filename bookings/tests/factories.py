"""Bookings for tests."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import F

from bookings.models import Booking, Ticket, Waitlist
from bookings.services import book_seats, cancel_booking, join_waitlist
from bookings.services.booking import BookingRequest, TicketRequest
from eventhub_config.shared.models import StatusChange
from events.models import Event, TicketType
from events.tests.factories import NOW, an_event
from users.models import CustomUser, UserProfile, address_key, comparison_key
from users.tests.factories import a_user, password_hash


def a_booking(
    *, user: CustomUser | None = None, event: Event | None = None, seats: int = 1, now: datetime = NOW, **values: Any
) -> Booking:
    """Return a booking: confirmed on a free event (the default), pending on one with a price."""
    event = event or an_event(now=now, **values)
    kind = TicketType.objects.in_order().filter(event=event)[0]
    request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind.pk, quantity=seats)])
    return book_seats(user=user or a_user(), request=request, now=now)


def many_bookings(
    event: Event,
    count: int,
    *,
    seats: int = 1,
    statuses: Sequence[str] = (Booking.Status.CONFIRMED,),
    now: datetime = NOW,
    every: timedelta = timedelta(0),
) -> list[Booking]:
    """Write bookings of people of their own in a few statements, as sound as if services had made them.

    Their states take turns; each is made ``every`` after the one before.
    """
    people = _many_users(count)
    kind = TicketType.objects.in_order().filter(event=event)[0]
    total = kind.price * seats
    bookings = [
        Booking(
            user=user,
            event=event,
            status=statuses[number % len(statuses)],
            status_changed_at=now,
            seats=seats,
            total_amount=total,
            amount_due=total,
            currency=event.currency,
            tax_rate=event.tax_rate,
            refund_policy=event.refund_policy,
            refund_until=event.refund_until or event.starts_at,
            refund_percent=event.refund_percent,
            expires_at=now + timedelta(days=1),
            created_at=now + number * every,
        )
        for number, user in enumerate(people)
    ]
    for booking in bookings:
        way = _WAYS[booking.status]
        booking.confirmed_at = now if "confirmed" in way else None
        booking.cancelled_at = now if "cancelled" in way else None
        booking.amount_due = Decimal(0) if way[-1] in {"cancelled", "expired"} else total
    Booking.objects.bulk_create(bookings, batch_size=500)
    closed = {Booking.Status.CANCELLED, Booking.Status.EXPIRED}
    tickets = [
        Ticket(
            booking=booking,
            event=event,
            ticket_type=kind,
            price=kind.price,
            attendee_name=f"{booking.user.first_name} {seat}",
            status=Ticket.Status.CANCELLED if booking.status == Booking.Status.CANCELLED else Ticket.Status.VALID,
            status_changed_at=now,
        )
        for booking in bookings
        for seat in range(seats)
    ]
    Ticket.objects.bulk_create(tickets, batch_size=500)
    steps = [(booking, *step) for booking in bookings for step in pairwise(_WAYS[booking.status])]
    steps += [(ticket, "valid", "cancelled") for ticket in tickets if ticket.status == Ticket.Status.CANCELLED]
    changes = [
        StatusChange(
            subject_type=row._meta.label_lower,
            subject_id=row.pk,
            from_status=before,
            to_status=after,
            actor="system:test",
            at=now,
        )
        for row, before, after in steps
    ]
    StatusChange.objects.bulk_create(changes, batch_size=500)
    taken = seats * sum(booking.status not in closed for booking in bookings)
    Event.objects.filter(pk=event.pk).update(seats_taken=F("seats_taken") + taken)
    TicketType.objects.filter(pk=kind.pk).update(seats_taken=F("seats_taken") + taken)
    return bookings


# How a booking comes to be in each state.
_WAYS = {
    "pending": ("", "pending"),
    "confirmed": ("", "confirmed"),
    "no_show": ("", "confirmed", "no_show"),
    "cancelled": ("", "confirmed", "cancelled"),
    "expired": ("", "pending", "expired"),
}


def _many_users(count: int) -> list[CustomUser]:
    tail = uuid.uuid4().hex[:8]
    names = [f"guest{number}-{tail}" for number in range(count)]
    users = [
        CustomUser(
            username=name,
            email=f"{name}@example.com",
            username_key=comparison_key(name),
            email_key=address_key(f"{name}@example.com"),
            first_name=f"Guest {number}",
            password=password_hash(),
        )
        for number, name in enumerate(names)
    ]
    CustomUser.objects.bulk_create(users, batch_size=500)
    UserProfile.objects.bulk_create([UserProfile(user=user) for user in users], batch_size=500)
    return users


def a_full_event(*, capacity: int = 1, now: datetime = NOW, **values: Any) -> Event:
    """Return an event of which every seat is taken, by a booking for each: no room but in the queue."""
    event = an_event(capacity=capacity, now=now, **values)
    for _ in range(capacity):
        a_booking(event=event, now=now)
    return event


def a_place(
    event: Event, *, user: CustomUser | None = None, seats: int = 1, now: datetime = NOW, **values: Any
) -> Waitlist:
    """Return somebody's place in the queue of an event."""
    return join_waitlist(user=user or a_user(), event_id=event.pk, seats=seats, now=now, **values)


def a_free_seat(event: Event, *, now: datetime = NOW) -> Booking:
    """Have somebody who booked the event cancel, and return what was their booking."""
    booking = Booking.objects.active().filter(event=event).order_by("pk")[0]
    return cancel_booking(booking_id=booking.pk, actor=booking.user, now=now)


def an_offer(*, now: datetime = NOW, **values: Any) -> Waitlist:
    """Return a place whose turn has come: the one seat of its event is held for it."""
    event = a_full_event(now=now, **values)
    entry = a_place(event, now=now)
    a_free_seat(event, now=now)
    entry.refresh_from_db()
    return entry


def many_places(event: Event, count: int, *, now: datetime = NOW) -> list[Waitlist]:
    """Return the places of many people in the queue of an event, in the order in which they joined."""
    return [a_place(event, user=user, now=now) for user in _many_users(count)]
