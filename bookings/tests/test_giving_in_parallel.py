"""Complimentary bookings while others book, give and open accounts: all of a list or nothing, and never oversold."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.services import accept_offer, book_seats, give_booking, give_bookings
from bookings.services.booking import BookingRequest
from bookings.services.complimentary import Gift
from bookings.tests.factories import an_offer
from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.races import at_once, outcomes
from events.models import Event
from events.services import cancel_event, update_event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db(transaction=True)


def gifts(*names: str) -> list[Gift]:
    return [Gift(email=f"{name}@example.org", reason="Press") for name in names]


def giver(event: Event, *names: str) -> Callable[[], list[Booking]]:
    return lambda: give_bookings(event_id=event.pk, gifts=gifts(*names), actor=event.organizer, now=NOW)


def buyer(event: Event, user: CustomUser) -> Callable[[], Booking]:
    return lambda: book_seats(user=user, request=BookingRequest(event_id=event.pk), now=NOW)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def test_a_list_fits_as_a_whole_or_not_at_all_while_others_book() -> None:
    """BKG-3, BKG-7, RELIABILITY A2"""
    sizes = set()
    for _ in range(4):
        event = an_event(capacity=10)
        names = [f"guest{number}" for number in range(6)]

        results = at_once([giver(event, *names), *(buyer(event, a_user()) for _ in range(8))])

        event.refresh_from_db()
        given = Booking.objects.filter(event=event).exclude(invited_as="").count()
        bought = Booking.objects.filter(event=event, invited_as="").count()
        assert set(outcomes(results)) <= {"ok", "sold_out", "rows_refused", "event_changed"}
        assert given in {0, 6}
        assert event.seats_taken == given + bought <= 10
        sizes.add(given)
    assert sizes
    assert findings() == []


def test_the_same_list_sent_ten_times_at_once_is_done_once() -> None:
    """Two orders of the same people: neither waits for the other for ever."""
    event = an_event()
    names = ["ann", "bob", "carl", "dora", "emil"]

    results = at_once([giver(event, *names), giver(event, *reversed(names))] * 5)

    event.refresh_from_db()
    assert outcomes(results) == {"ok": 1, "rows_refused": 9}
    assert event.seats_taken == Booking.objects.count() == 5
    assert CustomUser.objects.filter(email__endswith="@example.org").count() == 5
    assert findings() == []


def test_lists_of_two_events_open_each_account_once() -> None:
    events = [an_event() for _ in range(6)]
    names = ["ann", "bob", "carl"]

    results = at_once([giver(event, *(names if at % 2 else reversed(names))) for at, event in enumerate(events)])

    assert outcomes(results) == {"ok": 6}
    assert CustomUser.objects.filter(email__endswith="@example.org").count() == 3
    assert Booking.objects.count() == 18
    assert findings() == []


def test_somebody_who_books_while_they_are_invited_has_one_booking() -> None:
    for price in (0, 5):
        for _ in range(4):
            event = an_event(price=price)
            user = a_user()
            gift = Gift(email=user.email, reason="Press")

            results = at_once(
                [
                    buyer(event, user),
                    lambda gift=gift, event=event: give_booking(
                        event_id=event.pk, gift=gift, actor=event.organizer, now=NOW
                    ),
                ]
            )

            assert outcomes(results) == {"ok": 1, "already_booked": 1}
            assert Booking.objects.filter(event=event).count() == 1
    assert findings() == []


def test_nothing_is_given_of_an_event_that_was_cancelled_meanwhile() -> None:
    for _ in range(4):
        event = an_event()
        refused_or_done = at_once(
            [
                giver(event, "ann", "bob"),
                lambda event=event: cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW),
            ]
        )
        assert set(outcomes(refused_or_done)) <= {"ok", "event_cancelled"}
    from bookings.jobs import CLOSE_CANCELLED

    CLOSE_CANCELLED.run(NOW)
    assert not Booking.objects.active().exists()
    assert findings() == []


def test_an_edit_in_between_is_seen() -> None:
    """What was copied from the event is what it says when the seats are taken."""
    for _ in range(4):
        event = an_event()
        results = at_once(
            [
                giver(event, "ann"),
                lambda event=event: update_event(
                    event_id=event.pk, changes={"refund_policy": "none"}, actor=event.organizer, now=NOW
                ),
            ]
        )
        assert set(outcomes(results)) == {"ok"}
        event.refresh_from_db()
        booking = Booking.objects.get(event=event)
        assert booking.refund_policy in {"full", "none"}
    assert findings() == []


def test_control_a_list_that_is_given_one_by_one_is_half_done() -> None:
    """What the test above would notice: the same list, each line in a transaction of its own."""
    event = an_event(capacity=2)

    def one_by_one() -> Any:
        for gift in gifts("ann", "bob", "carl"):
            give_booking(event_id=event.pk, gift=gift, actor=event.organizer, now=NOW)

    results = at_once([one_by_one])

    assert outcomes(results) == {"sold_out": 1}
    assert Booking.objects.count() == 2


def test_the_event_is_locked_after_everything_was_written() -> None:
    """The other order would wait in a circle: whoever books inserts first and takes the event last."""
    event = an_event()

    with CaptureQueriesContext(connection) as queries:
        giver(event, "ann", "bob")()

    said = [query["sql"] for query in queries]
    written = [at for at, sql in enumerate(said) if sql.startswith("INSERT")]
    counted = [at for at, sql in enumerate(said) if sql.startswith("UPDATE events_event")]
    assert max(written) < min(counted)


@pytest.mark.usefixtures("at_now")
def test_a_gift_and_an_offer_that_is_accepted_never_wait_in_a_circle(caplog: Any) -> None:
    """One of them makes the booking, the other is told so."""
    caplog.set_level("INFO")
    for _ in range(6):
        entry = an_offer(price=3)
        event, person = entry.event, entry.user
        update_event(event_id=event.pk, changes={"capacity": 3}, actor=event.organizer, now=NOW)
        gift = Gift(email=person.email, reason="Press")

        results = at_once(
            [
                lambda entry=entry: accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW),
                lambda event=event, gift=gift: give_booking(
                    event_id=event.pk, gift=gift, actor=event.organizer, now=NOW
                ),
            ]
        )

        assert outcomes(results) in ({"ok": 1, "already_booked": 1}, {"ok": 1, "invalid_transition": 1})
        assert Booking.objects.active().filter(event=event, user=person).count() == 1
    assert "deadlock" not in caplog.text
    assert findings() == []
