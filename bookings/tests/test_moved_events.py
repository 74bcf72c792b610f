"""An event that moves: those who have booked may give their seats back for nothing, and are told once each."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from bookings.jobs import TELL_OF_MOVES, owed_the_news
from bookings.models import Booking
from bookings.services import cancel_booking, tell_of_move
from bookings.signals import booking_moved
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared.periodic import BATCH
from events.models import Event
from events.services import cancel_event, update_event
from events.tests.factories import NOW, START, an_event
from users.tests.factories import a_client_of

pytestmark = pytest.mark.django_db

LATER = START + timedelta(days=7)
SECOND = timedelta(seconds=1)


def move(event: Event, now: Any = NOW, **changes: Any) -> Event:
    """Move an event, by a week unless told otherwise."""
    changes = changes or {"starts_at": LATER, "ends_at": LATER + timedelta(hours=3)}
    return update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=now)


@pytest.fixture
def told() -> Iterator[list[tuple[int, Any]]]:
    """Give the bookings whose people were told, each with the moment of the move."""
    heard: list[tuple[int, Any]] = []

    def listen(*, booking: Booking, moved_at: Any, **_: Any) -> None:
        heard.append((booking.pk, moved_at))

    booking_moved.connect(listen)
    yield heard
    booking_moved.disconnect(listen)


def free_until(booking: Booking) -> Any:
    booking.refresh_from_db()
    return booking.free_cancellation_until


# --- What it gives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"starts_at": START - timedelta(hours=1)},
        {"city": "Hamburg"},
        {"venue_name": "Old Harbour"},
        {"format": "online", "online_url": "https://live.example/room"},
    ],
)
def test_gives_a_free_cancellation_until_the_new_start(changes: dict[str, Any]) -> None:
    """BKG-4"""
    booking = a_booking()

    event = move(booking.event, **changes)

    assert free_until(booking) == event.starts_at


@pytest.mark.parametrize("changes", [{"title": "Renamed"}, {"capacity": 500}, {"starts_at": START}, {"summary": "!"}])
def test_an_edit_that_moves_nothing_gives_nothing(changes: dict[str, Any]) -> None:
    booking = a_booking()

    move(booking.event, **changes)

    assert free_until(booking) is None
    assert booking.move_notice_owed_since is None


def test_gives_it_to_pending_and_confirmed_bookings_only() -> None:
    event = an_event(price=5)
    bookings = {status: a_booking(event=event) for status in Booking.Status.values}
    other = a_booking()
    for status, booking in bookings.items():
        Booking.objects.filter(pk=booking.pk).update(status=status)

    move(event)

    given = {status: free_until(booking) for status, booking in bookings.items()}
    assert given == dict.fromkeys(Booking.Status.values) | {"pending": LATER, "confirmed": LATER}
    assert free_until(other) is None


def test_whoever_books_afterwards_gets_neither() -> None:
    event = move(a_booking().event)

    booking = a_booking(event=event)

    assert (free_until(booking), booking.move_notice_owed_since) == (None, None)


@pytest.mark.parametrize("policy", [{"refund_policy": "none"}, {"refund_policy": "partial", "refund_percent": 10}])
@pytest.mark.parametrize(("at", "is_free"), [(LATER - SECOND, True), (LATER, False)])
def test_whatever_the_policy_nothing_is_retained_until_then(policy: dict[str, Any], at: Any, is_free: bool) -> None:
    """BKG-4"""
    from bookings.services.closing import retained

    booking = a_booking(price=10, **policy)
    Booking.objects.filter(pk=booking.pk).update(status="confirmed")
    move(booking.event)
    booking.refresh_from_db()

    assert (retained(booking, at) == 0) == is_free


def test_an_attendee_cancels_a_moved_booking_for_nothing() -> None:
    booking = a_booking(price=10, refund_policy="none")
    Booking.objects.filter(pk=booking.pk).update(status="confirmed")
    move(booking.event)

    cancelled = cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    assert (cancelled.status, cancelled.amount_due) == ("cancelled", Decimal(0))


def test_the_policy_that_was_booked_stays_as_it_was() -> None:
    booking = a_booking(price=10, refund_policy="partial", refund_percent=30, refund_until=START - timedelta(days=3))

    move(booking.event, starts_at=LATER, ends_at=LATER + timedelta(hours=1), refund_policy="none")

    booking.refresh_from_db()
    assert (booking.refund_policy, booking.refund_percent) == ("partial", 30)
    assert booking.refund_until == START - timedelta(days=3)


def test_the_booking_says_until_when() -> None:
    booking = a_booking(refund_policy="partial", refund_percent=30)
    address, client = f"/api/bookings/{booking.pk}/", a_client_of(booking.user)
    terms = {"refund_policy": "partial", "refund_percent": 30, "refund_until": "2027-03-31T12:00:00Z"}
    before = client.get(address).json()

    move(booking.event)

    body = client.get(address).json()
    assert terms.items() <= before.items()
    assert terms.items() <= body.items()
    assert (before["free_cancellation_until"], body["free_cancellation_until"]) == (None, "2027-04-07T12:00:00Z")


def test_takes_two_statements_for_however_many(django_assert_num_queries: Any) -> None:
    from bookings.services import owe_move_notices

    event = an_event()
    many_bookings(event, 300)

    with django_assert_num_queries(4):  # two between the two of a savepoint
        assert owe_move_notices(event=event, now=NOW) == 300


# --- Who is told ------------------------------------------------------------------------------------------------------


def test_everybody_is_told_once(told: list[Any]) -> None:
    event = an_event()
    bookings = [a_booking(event=event) for _ in range(3)]
    move(event)

    assert [TELL_OF_MOVES.run(NOW), TELL_OF_MOVES.run(NOW)] == [3, 0]

    assert told == [(booking.pk, NOW) for booking in bookings]


def test_moved_twice_before_anybody_was_told_is_told_once(told: list[Any]) -> None:
    booking = a_booking()
    move(booking.event)
    move(booking.event, NOW + SECOND, city="Hamburg")

    TELL_OF_MOVES.run(NOW + SECOND)

    assert told == [(booking.pk, NOW + SECOND)]


def test_moved_again_after_it_was_told_is_told_again(told: list[Any]) -> None:
    booking = a_booking()
    for moment in (NOW, NOW + SECOND):
        move(booking.event, moment, city=f"City {moment:%S}")
        TELL_OF_MOVES.run(moment)

    assert told == [(booking.pk, NOW), (booking.pk, NOW + SECOND)]


def test_whoever_cancelled_meanwhile_is_not_told(told: list[Any]) -> None:
    booking = a_booking()
    move(booking.event)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    assert tell_of_move(booking_id=booking.pk, now=NOW) is False
    assert told == list(TELL_OF_MOVES.find(NOW)) == []


def test_of_an_event_that_is_cancelled_meanwhile_only_that_is_told(told: list[Any]) -> None:
    booking = a_booking()
    move(booking.event)
    cancel_event(event_id=booking.event_id, reason="Storm", actor=booking.event.organizer, now=NOW)

    assert tell_of_move(booking_id=booking.pk, now=NOW) is False
    assert told == list(TELL_OF_MOVES.find(NOW)) == []


@pytest.mark.parametrize(("at", "times"), [(timedelta(hours=3) - SECOND, 1), (timedelta(hours=3), 0)])
def test_nobody_is_told_where_to_be_after_the_end(told: list[Any], at: timedelta, times: int) -> None:
    booking = a_booking()
    move(booking.event)

    tell_of_move(booking_id=booking.pk, now=LATER + at)

    assert len(told) == times
    assert list(TELL_OF_MOVES.find(NOW)) == []


def test_an_unknown_booking_is_no_error(told: list[Any]) -> None:
    assert tell_of_move(booking_id=987654321, now=NOW) is False
    assert told == []


def test_if_telling_fails_the_news_is_still_owed(told: list[Any]) -> None:
    """STYLE 1: sent inside the transaction, so a failing receiver undoes all of it."""
    booking = a_booking()
    move(booking.event)

    def fail(**_: Any) -> None:
        raise RuntimeError("out of paper")

    booking_moved.connect(fail)
    try:
        assert TELL_OF_MOVES.run(NOW) == 0
    finally:
        booking_moved.disconnect(fail)

    assert list(TELL_OF_MOVES.find(NOW)) == [booking.pk]
    assert TELL_OF_MOVES.run(NOW) == 1


def test_thousands_are_told_batch_by_batch(told: list[Any]) -> None:
    event = an_event()
    many_bookings(event, BATCH + 50)
    move(event)

    assert [TELL_OF_MOVES.run(NOW) for _ in range(3)] == [BATCH, 50, 0]
    assert len({pk for pk, _at in told}) == len(told) == BATCH + 50


def test_who_is_to_be_told_is_found_by_an_index() -> None:
    many_bookings(an_event(), 300)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE bookings_booking")

    assert "bookings_to_tell_of_a_move" in owed_the_news(NOW).explain()
