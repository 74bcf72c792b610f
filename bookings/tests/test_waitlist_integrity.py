"""``check_integrity`` finds what is wrong with queues, and nothing where nothing is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import F

from bookings.integrity import CHECKS
from bookings.models import Booking, Waitlist
from bookings.services import accept_offer
from bookings.tests.factories import a_booking, a_full_event, a_place, an_offer
from events.models import Event, TicketType
from events.services import update_event
from events.tests.factories import NOW, an_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def found() -> dict[str, int]:
    """Return how much each check finds, where it finds anything."""
    counts = {check.name: len(list(check.findings())) for check in CHECKS}
    return {name: count for name, count in counts.items() if count}


def _one_more_waits() -> None:
    TicketType.objects.filter(event=a_place(a_full_event()).event).update(waiting_count=F("waiting_count") + 1)


def _offered_without_seats() -> None:
    entry = an_offer()
    Event.objects.filter(pk=entry.event_id).update(seats_taken=0)


def _for_another_event() -> None:
    entry = a_place(a_full_event())
    Waitlist.objects.filter(pk=entry.pk).update(event=an_event())


def _accepted_for_others() -> None:
    entry = an_offer()
    accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW)
    Waitlist.objects.filter(pk=entry.pk).update(booking=a_booking())


def _booked_without_being_accepted() -> None:
    entry = a_place(a_full_event())
    Waitlist.objects.filter(pk=entry.pk).update(booking=Booking.objects.get(event=entry.event))


def _offered_for_ever() -> None:
    an_offer()
    Waitlist.objects.update(offer_expires_at=NOW - timedelta(minutes=6))


def _waits_after_the_start() -> None:
    entry = a_place(a_full_event())
    long_ago = NOW - timedelta(minutes=6)
    Event.objects.filter(pk=entry.event_id).update(starts_at=long_ago, updated_at=long_ago)


def _waits_for_a_cancelled_event() -> None:
    entry = a_place(a_full_event())
    Booking.objects.filter(event=entry.event_id).update(status="no_show")  # the one kind that stays
    Event.objects.filter(pk=entry.event_id).update(status="cancelled", status_changed_at=NOW - timedelta(minutes=6))


def _waits_and_has_booked() -> None:
    entry = a_place(a_full_event())
    booker = Booking.objects.get(event=entry.event).user
    Waitlist.objects.filter(pk=entry.pk).update(user=booker, status_changed_at=NOW - timedelta(minutes=6))


def _a_seat_lies_idle() -> None:
    long_ago = NOW - timedelta(minutes=6)
    event = a_place(a_full_event(now=long_ago), now=long_ago).event
    Event.objects.filter(pk=event.pk).update(capacity=2)


@pytest.mark.parametrize(
    ("corrupt", "check"),
    [
        (_one_more_waits, "waiting_counts"),
        (_offered_without_seats, "seat_counters"),
        (_for_another_event, "waitlist_event"),
        (_accepted_for_others, "waitlist_bookings"),
        (_booked_without_being_accepted, "waitlist_bookings"),
        (_offered_for_ever, "waitlist_moves_on"),
        (_waits_after_the_start, "waitlist_moves_on"),
        (_waits_for_a_cancelled_event, "waitlist_moves_on"),
        (_waits_and_has_booked, "waitlist_moves_on"),
        (_a_seat_lies_idle, "waitlist_served"),
    ],
)
def test_finds_what_is_broken(corrupt: Callable[[], None], check: str) -> None:
    """OPS-6, RELIABILITY R15"""
    corrupt()

    assert found() == {check: 1}
    connection.check_constraints()


def test_finds_nothing_in_a_world_of_every_state() -> None:
    entry, other = an_offer(), an_offer()
    a_place(other.event)
    accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW)

    assert found() == {}


def test_an_edit_that_ends_registration_long_ago_leaves_them_theirs() -> None:
    event = a_place(a_full_event()).event
    deadline = {"registration_deadline": NOW - timedelta(days=1)}
    update_event(event_id=event.pk, changes=deadline, actor=event.organizer, now=NOW)

    assert found() == {}
    with time_machine.travel(NOW + timedelta(minutes=5, seconds=1), tick=False):
        assert found() == {"waitlist_moves_on": 1}


def test_leaves_the_sweeps_their_time() -> None:
    an_offer()

    with time_machine.travel(NOW + timedelta(days=1, minutes=5), tick=False):
        assert found() == {}
    with time_machine.travel(NOW + timedelta(days=1, minutes=5, seconds=1), tick=False):
        assert found() == {"waitlist_moves_on": 1}
