"""Never oversold: many at once for few seats, and the controls that show these tests would notice."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Model

from bookings.models import Booking
from bookings.services import book_seats, cancel_booking
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.races import at_once, outcomes
from events.models import Event, TicketType
from events.services import cancel_event, update_event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 24


def buyers(event: Event, count: int = BUYERS, **ticket: Any) -> list[Callable[[], Booking]]:
    kind = TicketType.objects.in_order().filter(event=event)[0]
    request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=kind.pk, **ticket)])

    def buyer(user: CustomUser) -> Callable[[], Booking]:
        return lambda: book_seats(user=user, request=request, now=NOW)

    return [buyer(a_user()) for _ in range(count)]


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


@pytest.mark.parametrize("price", [0, 5])
def test_ten_seats_go_to_ten_of_many(price: int) -> None:
    """BKG-3, RELIABILITY A1"""
    event = an_event(capacity=10, price=price)

    results = outcomes(at_once(buyers(event)))

    event.refresh_from_db()
    assert results == {"ok": 10, "sold_out": BUYERS - 10}
    assert event.seats_taken == Booking.objects.active().count() == 10
    assert findings() == []


def test_a_types_quantity_holds_as_well() -> None:
    event = an_event(ticket_types=[{"name": "Few", "quantity": 7}])

    results = outcomes(at_once(buyers(event)))

    assert results == {"ok": 7, "sold_out": BUYERS - 7}
    assert findings() == []


def test_groups_never_share_a_seat() -> None:
    event = an_event(capacity=10)

    results = outcomes(at_once(buyers(event, quantity=3)))

    event.refresh_from_db()
    assert results == {"ok": 3, "sold_out": BUYERS - 3}
    assert event.seats_taken == 9
    assert findings() == []


def test_control_without_the_guard_it_oversells(settings: Any) -> None:
    """The same race, with the guard and the constraint behind it removed."""
    settings.SEAT_GUARD = False
    event = an_event(capacity=10)

    with without_constraint(Event, "events_event_not_oversold"):
        # On SQLite the write lock at BEGIN already lets one in at a time, so the control looks before it.
        at_once(buyers(event) if connection.vendor == "postgresql" else careless_buyers(event))

        event.refresh_from_db()
        assert event.seats_taken > 10
        assert any(finding.startswith("not_oversold") for finding in findings())
        Event.objects.update(capacity=None)


@contextmanager
def without_constraint(model: type[Model], name: str) -> Iterator[None]:
    """Drop a constraint of a table for a while."""
    kept = model._meta.constraints
    constraint = next(item for item in kept if item.name == name)
    # SQLite makes the table anew from what the model says.
    model._meta.constraints = [item for item in kept if item is not constraint]
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        model._meta.constraints = kept
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


def careless_buyers(event: Event) -> list[Callable[[], None]]:
    """Look first, take later, in two transactions: what naive code does."""
    looked = threading.Barrier(BUYERS)

    def buy() -> None:
        left = Event.objects.get(pk=event.pk).seats_left
        looked.wait()
        if left:
            Event.objects.filter(pk=event.pk).update(seats_taken=F("seats_taken") + 1)

    return [buy] * BUYERS


def test_one_person_gets_one_booking_of_fifty_requests() -> None:
    """RELIABILITY A10"""
    event = an_event()
    user = a_user()
    request = BookingRequest(event_id=event.pk)

    results = outcomes(at_once([lambda: book_seats(user=user, request=request, now=NOW)] * BUYERS))

    assert results == {"ok": 1, "already_booked": BUYERS - 1}
    assert findings() == []


def test_edits_of_the_event_lose_no_seat() -> None:
    """The organizer renames the event all along: every seat is sold, none undone by the edit."""
    event = an_event(capacity=10)

    def rename() -> None:
        for number in range(15):
            update_event(event_id=event.pk, changes={"title": f"Title {number}"}, actor=event.organizer, now=NOW)

    results = outcomes(at_once([*buyers(event), rename, rename]))

    event.refresh_from_db()
    assert results == {"ok": 10 + 2, "sold_out": BUYERS - 10}
    assert event.seats_taken == 10
    assert findings() == []


def test_nothing_is_booked_once_the_event_is_cancelled() -> None:
    """RELIABILITY A8"""
    event = an_event(capacity=100)
    cancel = lambda: cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)  # noqa: E731

    results = at_once([*buyers(event, 12), cancel, *buyers(event, 12)])

    booked = [result for result in results if isinstance(result, Booking)]
    assert set(outcomes(results)) <= {"ok", "event_cancelled"}
    # Whoever got in was in before the cancellation committed; the closing of the event's bookings finds them all.
    from bookings.jobs import CLOSE_CANCELLED

    assert CLOSE_CANCELLED.run(NOW) == len(booked)
    event.refresh_from_db()
    assert (event.seats_taken, Booking.objects.active().count()) == (0, 0)
    assert findings() == []


def test_capacity_is_never_cut_below_what_is_taken() -> None:
    """RELIABILITY A7"""
    event = an_event(capacity=30)

    def shrink() -> None:
        update_event(event_id=event.pk, changes={"capacity": 5}, actor=event.organizer, now=NOW)

    results = outcomes(at_once([*buyers(event), shrink]))

    event.refresh_from_db()
    assert event.seats_taken <= (event.capacity or 0)
    assert results["ok"] + results["sold_out"] + results["capacity_below_taken"] == BUYERS + 1
    assert findings() == []


def test_one_cancellation_of_twenty_frees_the_seats() -> None:
    """RELIABILITY A9"""
    event = an_event(capacity=5)
    a_booking(event=event, seats=2)
    booking = a_booking(event=event, seats=3)

    results = outcomes(at_once([lambda: cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)] * BUYERS))

    event.refresh_from_db()
    assert results == {"ok": 1, "invalid_transition": BUYERS - 1}
    assert event.seats_taken == 2
    assert findings() == []


def test_expiry_and_payment_of_one_booking_never_both_win() -> None:
    """RELIABILITY B3: the hold runs out in the same second as it is confirmed."""
    from bookings.services import confirm_booking, expire_booking
    from eventhub_config.shared.actors import System

    for _ in range(8):
        booking = a_booking(price=5, now=NOW - timedelta(minutes=15))
        results = at_once(
            [
                lambda pk=booking.pk: confirm_booking(booking_id=pk, actor=System("test"), now=NOW),
                lambda pk=booking.pk: expire_booking(booking_id=pk, now=NOW),
            ]
        )
        booking.refresh_from_db()
        booking.event.refresh_from_db()
        won = {"confirmed": 1, "expired": 0}[booking.status]
        assert booking.event.seats_taken == won
        assert isinstance(results[0], Booking) == bool(won)
