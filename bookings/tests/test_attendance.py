"""Who attended: one definition, by the rule of the event."""

from itertools import product

import pytest

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, has_attended
from bookings.tests.factories import a_booking
from events.models import Event
from events.tests.factories import NOW

pytestmark = pytest.mark.django_db

# Attendance rule, states of event, booking and ticket: these attended, and no others.
ATTENDED = {
    # Whoever was checked in attended from that moment on.
    *product(["check_in"], Event.Status.values, ["confirmed"], ["checked_in"]),
    # Everybody with a confirmed booking, once the event is over and nobody can be marked as a no-show any more.
    *product(["confirmed"], ["completed"], ["confirmed"], ["valid", "checked_in"]),
}
ALL = list(product(Event.AttendanceRule.values, Event.Status.values, Booking.Status.values, Ticket.Status.values))


@pytest.mark.parametrize("rule", Event.AttendanceRule.values)
def test_of_every_combination_of_states(rule: str) -> None:
    """EVT-9"""
    booking = a_booking(attendance_rule=rule)
    ticket = Ticket.objects.get(booking=booking)
    told = set()
    for combination in (it for it in ALL if it[0] == rule):
        _, of_event, of_booking, of_ticket = combination
        published_at = None if of_event == "draft" else NOW
        Event.objects.filter(pk=booking.event_id).update(status=of_event, published_at=published_at)
        Booking.objects.filter(pk=booking.pk).update(status=of_booking, expires_at=NOW)
        Ticket.objects.filter(pk=ticket.pk).update(status=of_ticket)
        if has_attended(ticket):
            told.add(combination)
        assert has_attended(booking) == has_attended(ticket) == Ticket.objects.attended().exists()

    assert told == {it for it in ATTENDED if it[0] == rule}


def test_a_booking_attended_if_one_of_its_holders_did() -> None:
    booking = a_booking(seats=2, attendance_rule="check_in")
    came, stayed_away = Ticket.objects.filter(booking=booking).order_by("pk")
    assert not has_attended(booking)

    Ticket.objects.filter(pk=came.pk).update(status="checked_in")

    assert (has_attended(booking), has_attended(came), has_attended(stayed_away)) == (True, True, False)


def test_what_was_cancelled_was_not_attended() -> None:
    booking = a_booking(attendance_rule="confirmed")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    Event.objects.update(status="completed")

    assert not has_attended(booking)
