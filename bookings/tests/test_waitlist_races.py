"""The queue keeps its order whatever happens at once, and the controls that show these tests would notice.

RELIABILITY B1 to B9.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from bookings.jobs import CLOSE_CANCELLED
from bookings.models import Booking, Waitlist
from bookings.services import (
    accept_offer,
    book_seats,
    cancel_booking,
    decline_offer,
    join_waitlist,
    lapse_offer,
    tend_waitlist,
)
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.services.queue import OFFERS_AT_ONCE
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer, many_bookings, many_places
from eventhub_config.shared.actors import System
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.races import at_once, outcomes
from events.models import Event, TicketType
from events.services import cancel_event, release_seats, update_event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_now")]
# SQLite lets one write at a time, so that those who try again and again are all that it would do.
WAITING, CANCELLATIONS = (500, 200) if connection.vendor == "postgresql" else (100, 40)
PROMOTERS, WALK_INS = 3, 2
DEADLINE = NOW + timedelta(days=1)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def walk_in(event: Event, user: CustomUser) -> Callable[[], Booking]:
    return lambda: book_seats(user=user, request=BookingRequest(event_id=event.pk), now=NOW)


def offers_in_order(event: Event) -> list[int]:
    """Return the ids of the entries that were offered seats, in the order in which they were."""
    places = Waitlist.objects.filter(event=event).values("pk")
    moves = StatusChange.objects.filter(subject_type="bookings.waitlist", to_status="offered", subject_id__in=places)
    return [*moves.order_by("pk").values_list("subject_id", flat=True)]


def cancel_each(bookings: list[Booking]) -> None:
    for booking in bookings:
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)


def again_and_again(step: Callable[[], Any], is_over: threading.Event) -> Callable[[], list[Any]]:
    """Return what does a step until it is over, and tells the results and refusals of all of them."""

    def repeat() -> list[Any]:
        results = []
        while not is_over.is_set():
            try:
                results.append(step())
            except Exception as error:  # noqa: BLE001  (the test looks at it)
                results.append(error)
        return results

    return repeat


def test_five_hundred_wait_and_two_hundred_cancel_while_three_promote() -> None:
    """BKG-5, RELIABILITY R6: in order, none twice, no seat idle, and nobody walks in past the queue."""
    event = an_event(capacity=CANCELLATIONS)
    bookings = many_bookings(event, CANCELLATIONS)
    places = many_places(event, WAITING)
    strangers = [a_user() for _ in range(WALK_INS)]
    is_over = threading.Event()

    def cancel_all() -> None:
        try:
            results = at_once([lambda part=part: cancel_each(bookings[part::4]) for part in range(4)])
            assert outcomes(results) == {"ok": 4}
        finally:
            is_over.set()

    promoters = [again_and_again(lambda: tend_waitlist(event_id=event.pk, now=NOW), is_over)] * PROMOTERS
    walk_ins = [again_and_again(walk_in(event, stranger), is_over) for stranger in strangers]
    looks = again_and_again(lambda: Event.objects.get(pk=event.pk).seats_taken, is_over)
    results = at_once([cancel_all, looks, *promoters, *walk_ins])

    assert results[0] is None
    assert offers_in_order(event) == [entry.pk for entry in places[:CANCELLATIONS]]
    assert [*Waitlist.objects.order_by("pk").values_list("status", flat=True)] == (
        ["offered"] * CANCELLATIONS + ["waiting"] * (WAITING - CANCELLATIONS)
    )
    assert set(results[1]) == {CANCELLATIONS}  # not for a moment did a seat lie idle
    for attempts in results[2 : 2 + PROMOTERS]:
        assert set(outcomes(attempts)) <= {"ok"}
    for attempts in results[2 + PROMOTERS :]:
        assert set(outcomes(attempts)) == {"waitlist_open"}
    assert findings() == []


def test_three_promoters_share_what_a_larger_capacity_brings() -> None:
    """RELIABILITY B2: more seats at once than one transaction offers."""
    event = a_full_event()
    places = many_places(event, 120)
    update_event(event_id=event.pk, changes={"capacity": 101}, actor=event.organizer, now=NOW)
    assert len(offers_in_order(event)) == OFFERS_AT_ONCE

    results = at_once([lambda: tend_waitlist(event_id=event.pk, now=NOW)] * PROMOTERS)

    assert sum(results) == 100 - OFFERS_AT_ONCE
    assert offers_in_order(event) == [entry.pk for entry in places[:100]]
    assert findings() == []


def test_control_promoters_without_the_lock_serve_somebody_twice() -> None:
    """What naive code does: look who is first, then offer."""
    event = a_full_event(capacity=PROMOTERS)
    places = many_places(event, PROMOTERS)
    Event.objects.filter(pk=event.pk).update(capacity=2 * PROMOTERS)  # freed, and offered to nobody
    looked = threading.Barrier(PROMOTERS)

    def promotes() -> None:
        entry = Waitlist.objects.in_queue().filter(event=event)[0]
        looked.wait()
        entry.offer_expires_at = DEADLINE
        entry.move_to(Waitlist.Status.OFFERED, actor=System("test"), at=NOW, also=["offer_expires_at"])

    at_once([promotes] * PROMOTERS)

    assert offers_in_order(event) == [places[0].pk] * PROMOTERS


def test_control_seats_that_are_freed_first_and_offered_later_go_to_a_walk_in() -> None:
    event = a_full_event()
    a_place(event)
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(capacity=2)
        TicketType.objects.filter(event=event).update(waiting_count=0)  # as if the guard did not ask who waits

    results = at_once([walk_in(event, a_user())])

    assert outcomes(results) == {"ok": 1}
    assert findings() != []


def test_a_larger_capacity_is_offered_before_anybody_walks_in() -> None:
    """RELIABILITY B1: an edit, ten walk-ins, and one who waits for two seats."""
    for _ in range(5):
        event = a_full_event()
        entry = a_place(event, seats=1)
        grow = lambda event=event: update_event(  # noqa: E731
            event_id=event.pk, changes={"capacity": 2}, actor=event.organizer, now=NOW
        )

        results = at_once([*(walk_in(event, a_user()) for _ in range(5)), grow])

        entry.refresh_from_db()
        assert entry.status == "offered"
        # Once nobody waits any more, a walk-in is told that it is sold out.
        assert set(outcomes(results)) <= {"ok", "waitlist_open", "sold_out"}
        assert outcomes(results)["ok"] == 1
        assert Event.objects.get(pk=event.pk).seats_taken == 2
    assert findings() == []


@contextmanager
def two_hundred_offers() -> Iterator[tuple[Event, list[Waitlist]]]:
    """Give an event with an offer to each of two hundred, all with the same deadline."""
    event = an_event(capacity=200)
    bookings = many_bookings(event, 200)
    places = many_places(event, 200)
    for booking in bookings:
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    yield event, places


def test_an_offer_accepted_in_the_very_second_of_its_deadline_is_accepted_or_lapsed() -> None:
    """RELIABILITY B4, two hundred times: never both, and the seats are right."""
    with two_hundred_offers() as (event, places):
        in_time = DEADLINE - timedelta(microseconds=1)
        for number, entry in enumerate(places):
            # By the clocks of two processes: one says that the deadline is not reached yet.
            accept = lambda entry=entry: accept_offer(entry_id=entry.pk, actor=entry.user, now=in_time)  # noqa: E731
            lapse = lambda entry=entry: lapse_offer(entry_id=entry.pk, now=DEADLINE)  # noqa: E731
            accepted, lapsed = at_once([accept, lapse] if number % 2 else [lapse, accept])[:: 1 if number % 2 else -1]

            won = isinstance(accepted, Waitlist)
            assert lapsed is not won
            assert won or outcomes([accepted]) == {"offer_lapsed": 1}

        states = [*Waitlist.objects.order_by("pk").values_list("status", flat=True)]
        accepted_ones = states.count("accepted")
        assert accepted_ones + states.count("lapsed") == 200
        event.refresh_from_db()
        assert event.seats_taken == accepted_ones == Booking.objects.active().count()
        assert findings() == []


def test_control_without_a_lock_it_is_both() -> None:
    entry = an_offer()
    looked = threading.Barrier(2)

    def careless(status: str, then: Callable[[Waitlist], Any]) -> Callable[[], None]:
        def run() -> None:
            mine = Waitlist.objects.get(pk=entry.pk)
            looked.wait()
            assert mine.status == "offered"
            with transaction.atomic():
                then(mine)
            Waitlist.objects.filter(pk=entry.pk).update(status=status, booking=mine.booking)

        return run

    def books(mine: Waitlist) -> None:
        mine.booking = many_bookings(mine.event, 1)[0]  # counts its seat; that of an offer is counted already
        Event.objects.filter(pk=mine.event_id).update(seats_taken=F("seats_taken") - 1)

    def gives_back(mine: Waitlist) -> None:
        release_seats(mine.event_id, {mine.ticket_type_id: mine.seats})

    Event.objects.filter(pk=entry.event_id).update(capacity=None)
    results = at_once([careless("accepted", books), careless("lapsed", gives_back)])

    assert outcomes(results) == {"ok": 2}
    assert findings() != []


def test_accepting_and_declining_at_once_is_one_of_them() -> None:
    """RELIABILITY B5"""
    for _ in range(10):
        entry = an_offer()
        results = at_once(
            [
                lambda entry=entry: accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW),
                lambda entry=entry: decline_offer(entry_id=entry.pk, actor=entry.user, now=NOW),
                lambda entry=entry: accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW),
            ]
        )
        entry.refresh_from_db()
        assert outcomes(results) == {"ok": 1, "invalid_transition": 2}
        assert Event.objects.get(pk=entry.event_id).seats_taken == (entry.status == "accepted")
    assert findings() == []


def test_joining_while_the_last_seat_is_freed_leaves_nobody_waiting_beside_it() -> None:
    """RELIABILITY B7"""
    for _ in range(15):
        event = a_full_event()
        booking = Booking.objects.get(event=event)
        user = a_user()
        joined, _cancelled = at_once(
            [
                lambda event=event, user=user: join_waitlist(user=user, event_id=event.pk, now=NOW),
                lambda booking=booking: cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW),
            ]
        )
        states = [*Waitlist.objects.filter(event=event).values_list("status", flat=True)]
        assert states == (["offered"] if isinstance(joined, Waitlist) else [])
        assert outcomes([joined]) in ({"ok": 1}, {"seats_available": 1})
    assert findings() == []


def test_one_person_who_joins_from_many_tabs_has_one_place() -> None:
    event = a_full_event()
    user = a_user()

    results = outcomes(at_once([lambda: join_waitlist(user=user, event_id=event.pk, now=NOW)] * 16))

    assert results == {"ok": 1, "already_waiting": 15}
    assert TicketType.objects.get(event=event).waiting_count == 1


def test_a_cancelled_event_offers_nothing_and_keeps_no_seat() -> None:
    """RELIABILITY B6, A8: cancelled while offers are accepted and seats are freed."""
    for _ in range(8):
        event = a_full_event(capacity=3)
        places = [a_place(event) for _ in range(3)]
        a_free_seat(event)
        booking = Booking.objects.active().filter(event=event)[0]
        results = at_once(
            [
                lambda event=event: cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW),
                lambda places=places: accept_offer(entry_id=places[0].pk, actor=places[0].user, now=NOW),
                lambda booking=booking: cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW),
                lambda event=event: tend_waitlist(event_id=event.pk, now=NOW),
            ]
        )
        # In either order: cancelled first and found closed, or accepted first and closed with the other bookings.
        assert set(outcomes(results)) <= {"ok", "event_cancelled", "invalid_transition"}

        tend_waitlist(event_id=event.pk, now=NOW)
        CLOSE_CANCELLED.run(NOW)
        assert Waitlist.objects.active().filter(event=event).count() == 0
        assert Event.objects.get(pk=event.pk).seats_taken == 0
    assert findings() == []


def test_joining_one_queue_and_booking_another_type_at_once_ends_as_one_of_them() -> None:
    """From two tabs. What neither could see of the other is cleared by the sweep."""
    for _ in range(10):
        event = an_event(ticket_types=[{"name": "Few", "quantity": 1}, {"name": "Many"}])
        few, many = (TicketType.objects.get(event=event, name=name) for name in ("Few", "Many"))
        a_booking(event=event)
        user = a_user()
        request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(ticket_type=many.pk)])
        results = at_once(
            [
                lambda event=event, user=user, few=few: join_waitlist(
                    user=user, event_id=event.pk, ticket_type=few.pk, now=NOW
                ),
                lambda user=user, request=request: book_seats(user=user, request=request, now=NOW),
            ]
        )
        assert set(outcomes(results)) <= {"ok", "already_booked"}
        assert isinstance(results[1], Booking)

        tend_waitlist(event_id=event.pk, now=NOW)
        assert Waitlist.objects.active().filter(user=user).count() == 0
        assert TicketType.objects.get(pk=few.pk).waiting_count == 0
    assert findings() == []


def test_no_lock_is_taken_in_another_order(caplog: Any) -> None:
    """Everything that touches one queue, all at once: no deadlock, not even one that was tried again."""
    caplog.set_level("INFO")
    for _ in range(3):
        event = a_full_event(capacity=4, price=2)
        places = [a_place(event) for _ in range(6)]
        a_free_seat(event)
        bookings = [*Booking.objects.active().filter(event=event).order_by("pk")]
        at_once(
            [
                *(lambda b=b: cancel_booking(booking_id=b.pk, actor=b.user, now=NOW) for b in bookings),
                *(lambda e=e: accept_offer(entry_id=e.pk, actor=e.user, now=NOW) for e in places[:3]),
                *(lambda e=e: lapse_offer(entry_id=e.pk, now=DEADLINE) for e in places[:2]),
                *(walk_in(event, e.user) for e in places[3:]),
                lambda event=event: update_event(
                    event_id=event.pk, changes={"capacity": 6}, actor=event.organizer, now=NOW
                ),
                lambda event=event: tend_waitlist(event_id=event.pk, now=NOW),
                lambda event=event: join_waitlist(user=a_user(), event_id=event.pk, now=NOW),
            ]
        )
        tend_waitlist(event_id=event.pk, now=NOW)
    assert "deadlock" not in caplog.text
    assert findings() == []
