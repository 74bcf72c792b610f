"""The watch and the judges of the mixed load: each notices what it is there for."""

import time
from collections.abc import Iterable
from datetime import timedelta

import pytest

from bookings.models import Booking, Ticket, Waitlist
from bookings.services import accept_offer, cancel_booking, join_waitlist
from bookings.tests.factories import a_booking
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, UNKNOWN, Deed, History
from eventhub_config.tests.crowd.judging import judge
from eventhub_config.tests.crowd.watching import Watch
from events.models import Event, TicketType
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db


def deed(
    what: str, user: CustomUser, event: Event, *, outcome: str = ACKNOWLEDGED, made: int = 0, subject: int = 0
) -> Deed:
    return Deed(user.pk, what, event.pk, subject, outcome, 200, "", made, 1, 0.0, 1.0)


def told(*deeds: Deed) -> History:
    return History(list(deeds))


def a_full_event(capacity: int = 1) -> tuple[Event, Booking]:
    event = an_event(capacity=capacity)
    return event, a_booking(event=event, seats=capacity)


def wrong(watch: Watch | None = None) -> list[str]:
    watch = watch or Watch()
    watch.act()
    return watch.wrong


def judges(findings: Iterable[str]) -> set[str]:
    return {finding.partition(":")[0] for finding in findings}


def test_a_sound_world_is_found_sound() -> None:
    event, booking = a_full_event()
    waiter = a_user()
    entry = join_waitlist(user=waiter, event_id=event.pk, now=NOW)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    accepted = accept_offer(entry_id=entry.pk, actor=waiter, now=NOW)

    history = told(
        deed("book", booking.user, event, made=booking.pk),
        deed("cancel", booking.user, event, subject=booking.pk),
        deed("accept", waiter, event, subject=entry.pk, made=accepted.booking_id or 0),
    )

    assert wrong() == []
    assert judge(history) == []


def test_counters_that_differ_from_the_rows_are_seen() -> None:
    event, booking = a_full_event(2)
    Ticket.objects.filter(pk=booking.tickets_in_order()[0].pk).update(status="cancelled")

    assert wrong() == [
        f"type {booking.tickets_in_order()[0].ticket_type_id} counts 2: 1 tickets, 0 offered",
        f"event {event.pk} counts 2 seats, 1 are held",
    ]


def test_a_miscounted_queue_is_seen() -> None:
    event, _booking = a_full_event()
    join_waitlist(user=a_user(), event_id=event.pk, now=NOW)
    TicketType.objects.update(waiting_count=0)

    assert [line.partition(" counts ")[2] for line in wrong()] == ["0 waiting, 1 are"]


def test_whoever_is_overtaken_is_seen() -> None:
    event, booking = a_full_event()
    first, second = (join_waitlist(user=a_user(), event_id=event.pk, now=NOW) for _ in range(2))
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    # As if the second had been served, and not the first.
    offered = {"status": "offered", "offered_at": NOW, "offer_expires_at": NOW + timedelta(days=1)}
    Waitlist.objects.filter(pk=first.pk).update(status="waiting", offered_at=None, offer_expires_at=None)
    Waitlist.objects.filter(pk=second.pk).update(**offered)

    assert [line.partition(": ")[2] for line in wrong()] == ["1 waiting were overtaken"]


def test_idle_seats_are_timed() -> None:
    event, _booking = a_full_event()
    join_waitlist(user=a_user(), event_id=event.pk, now=NOW)
    watch = Watch()
    watch.act()
    assert watch.longest_idle == 0

    Event.objects.update(capacity=2)  # not by the service, which would offer the seat at once
    watch.act()
    time.sleep(0.01)
    watch.act()

    assert watch.longest_idle >= 0.01
    assert judges(judge(told())) >= {"every_seat_is_sold_that_somebody_wants"}


def test_an_acknowledged_booking_that_is_missing_is_found() -> None:
    event, booking = a_full_event()
    history = told(
        deed("book", booking.user, event, made=booking.pk), deed("book", booking.user, event, made=booking.pk + 1)
    )

    assert judge(history) == [f"bookings_stand: booking {booking.pk + 1} was acknowledged and is missing"]


def test_a_booking_that_nobody_asked_for_is_found() -> None:
    event, booking = a_full_event()

    assert judges(judge(told())) == {"bookings_were_asked_for"}
    assert judge(told(deed("book", booking.user, event, outcome=UNKNOWN))) == []


def test_a_cancellation_that_was_lost_is_found() -> None:
    event, booking = a_full_event()
    booked = deed("book", booking.user, event, made=booking.pk)

    found = judge(told(booked, deed("cancel", booking.user, event, subject=booking.pk)))

    assert judges(found) == {"cancellations_stand"}


def test_a_cancellation_that_nobody_asked_for_is_found() -> None:
    event, booking = a_full_event()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    assert judges(judge(told(deed("book", booking.user, event, made=booking.pk)))) == {"bookings_stand"}


def test_an_acceptance_that_made_nothing_is_found() -> None:
    event, booking = a_full_event()
    waiter = a_user()
    entry = join_waitlist(user=waiter, event_id=event.pk, now=NOW)
    history = told(
        deed("book", booking.user, event, made=booking.pk),
        deed("accept", waiter, event, subject=entry.pk, made=booking.pk),
    )

    assert "acceptances_stand" in judges(judge(history))


def test_a_check_in_that_was_lost_is_found() -> None:
    event, booking = a_full_event()
    ticket = booking.tickets_in_order()[0]
    history = told(
        deed("book", booking.user, event, made=booking.pk), deed("check in", booking.user, event, subject=ticket.pk)
    )

    assert judges(judge(history)) == {"whoever_came_is_in"}
