"""People who did not come: set by those who run the event, taken back by them, and by closing the doors."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, check_in_ticket, close_doors, has_attended, mark_no_show, no_shows
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from events.models import Event
from events.services import cancel_event
from events.tests.factories import NOW, START, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, an_organizer

pytestmark = pytest.mark.django_db
END = START + timedelta(hours=3)


def ask(booking: Booking, action: str, by: CustomUser | None = None) -> Any:
    return a_client_of(by or booking.event.organizer).post(f"/api/bookings/{booking.pk}/{action}/")


def started(booking: Booking) -> Booking:
    """Let the booking's event have begun an hour ago, by the clock of the machine."""
    from django.utils import timezone

    now = timezone.now()
    hour = timedelta(hours=1)
    Event.objects.filter(pk=booking.event_id).update(starts_at=now - hour, ends_at=now + hour)
    return booking


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def test_a_booking_becomes_one_and_is_taken_back() -> None:
    """BKG-2, BKG-4"""
    booking = started(a_booking(seats=2))

    marked = ask(booking, "no_show")
    taken_back = ask(booking, "undo_no_show")

    assert (marked.status_code, marked.json()["status"]) == (200, "no_show")
    assert (taken_back.status_code, taken_back.json()["status"]) == (200, "confirmed")
    moves = StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk).order_by("pk")
    by = f"user:{booking.event.organizer_id}"
    assert [(move.to_status, move.actor) for move in moves][1:] == [("no_show", by), ("confirmed", by)]
    assert findings() == []


def test_keeps_its_seats_and_does_not_attend() -> None:
    """EVT-9"""
    booking = a_booking(seats=2, attendance_rule="confirmed", capacity=2)
    Event.objects.update(status="completed")
    assert has_attended(booking)

    mark_no_show(booking_id=booking.pk, actor=booking.event.organizer, now=END)

    assert not has_attended(booking)
    assert Event.objects.get().seats_taken == 2


@pytest.mark.parametrize(("late_by", "code"), [(-1, "event_not_started"), (0, "")])
def test_only_once_the_event_has_started(late_by: int, code: str) -> None:
    booking = a_booking()
    now = START + timedelta(seconds=late_by)

    try:
        mark_no_show(booking_id=booking.pk, actor=booking.event.organizer, now=now)
        refused = ""
    except no_shows.EventNotStarted as error:
        refused = error.code

    booking.refresh_from_db()
    assert (refused, booking.status) == (code, "confirmed" if code else "no_show")


def test_not_with_somebody_checked_in() -> None:
    booking = started(a_booking(seats=2))
    ticket = Ticket.objects.filter(booking=booking).order_by("pk")[1]
    check_in_ticket(ticket_id=ticket.pk, actor=booking.event.organizer, now=NOW)

    refused = ask(booking, "no_show")

    booking.refresh_from_db()
    assert (refused.status_code, refused.json()["code"], booking.status) == (409, "somebody_came", "confirmed")


@pytest.mark.parametrize("status", ["pending", "cancelled", "expired", "no_show"])
def test_only_of_a_confirmed_booking(status: str) -> None:
    booking = started(a_booking())
    Booking.objects.update(status=status, expires_at=NOW)

    refused = ask(booking, "no_show")

    booking.refresh_from_db()
    assert (refused.status_code, refused.json()["code"], booking.status) == (409, "invalid_transition", status)


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "expired"])
def test_only_a_no_show_is_taken_back(status: str) -> None:
    """Above all, a pending booking is not confirmed by it, nor an expired one."""
    booking = started(a_booking())
    Booking.objects.update(status=status, expires_at=NOW)

    refused = ask(booking, "undo_no_show")

    booking.refresh_from_db()
    assert (refused.status_code, refused.json()["code"], booking.status) == (409, "invalid_transition", status)


def test_not_of_a_cancelled_event() -> None:
    """Its bookings are being cancelled, and refunded."""
    booking = a_booking()
    cancel_event(event_id=booking.event_id, reason="Storm", actor=booking.event.organizer, now=NOW)
    started(booking)
    Event.objects.update(status="cancelled")

    assert ask(booking, "no_show").json()["code"] == "event_cancelled"


def test_are_set_by_those_who_run_the_event() -> None:
    booking = started(a_booking())
    as_organizer = started(a_booking(user=an_organizer()))

    assert ask(booking, "no_show", by=booking.user).json()["code"] == "permission_denied"
    assert ask(booking, "no_show", by=an_organizer()).status_code == 404
    assert ask(as_organizer, "no_show", by=as_organizer.user).json()["code"] == "not_owner"
    assert ask(as_organizer, "undo_no_show", by=as_organizer.user).json()["code"] == "not_owner"
    assert set(Booking.objects.values_list("status", flat=True)) == {"confirmed"}


# --- Closing the doors ------------------------------------------------------------------------------------------------


def test_are_all_of_whom_nobody_came_when_the_doors_close() -> None:
    """BKG-4"""
    event = an_event()
    absent, half, here, cancelled = (a_booking(event=event, seats=2) for _ in range(4))
    unpaid = a_booking(event=an_event(organizer=event.organizer, price=5))
    Booking.objects.filter(pk=unpaid.pk).update(event=event)
    elsewhere = a_booking()
    cancel_booking(booking_id=cancelled.pk, actor=cancelled.user, now=NOW)
    for ticket in Ticket.objects.filter(booking__in=[half, here]).order_by("booking_id", "pk")[1:]:
        check_in_ticket(ticket_id=ticket.pk, actor=event.organizer, now=NOW)

    closed = close_doors(event_id=event.pk, actor=event.organizer, now=END)
    again = close_doors(event_id=event.pk, actor=event.organizer, now=END)

    assert (closed, again) == (1, 0)
    assert {booking.pk: booking.status for booking in Booking.objects.all()} == {
        absent.pk: "no_show",
        half.pk: "confirmed",
        here.pk: "confirmed",
        cancelled.pk: "cancelled",
        unpaid.pk: "pending",
        elsewhere.pk: "confirmed",
    }
    move = StatusChange.objects.get(subject_type="bookings.booking", to_status="no_show")
    assert (move.subject_id, move.actor, move.at) == (absent.pk, f"user:{event.organizer_id}", END)


def test_closing_goes_on_where_it_was_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_shows, "BOOKINGS_AT_ONCE", 10)
    event = an_event()
    many_bookings(event, 25)
    no_shows._close_some(event_id=event.pk, after=0, actor=event.organizer, now=END)  # and then it was killed

    closed = close_doors(event_id=event.pk, actor=event.organizer, now=END)

    assert closed == 15
    assert Booking.objects.filter(status="no_show").count() == 25
    assert StatusChange.objects.filter(to_status="no_show").count() == 25
    assert findings() == []


def test_the_doors_are_closed_after_the_end() -> None:
    booking = a_booking()
    client = a_client_of(booking.event.organizer)

    refused = client.post(f"/api/events/{booking.event_id}/close_doors/")
    Event.objects.update(starts_at=NOW - timedelta(days=2000), ends_at=NOW - timedelta(days=1999))
    closed = client.post(f"/api/events/{booking.event_id}/close_doors/")

    assert (refused.status_code, refused.json()["code"]) == (409, "event_not_over")
    assert (closed.status_code, closed.json()) == (200, {"no_shows": 1})


def test_nobody_is_guessed_where_a_confirmed_booking_is_attendance() -> None:
    """EVT-9: an online event has no door."""
    booking = a_booking(attendance_rule="confirmed")

    with pytest.raises(no_shows.AttendanceByConfirmation):
        close_doors(event_id=booking.event_id, actor=booking.event.organizer, now=END)

    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_somebody_elses_doors_are_not_closed() -> None:
    booking = a_booking()
    client = a_client_of(an_organizer())

    assert client.post(f"/api/events/{booking.event_id}/close_doors/").json()["code"] == "not_owner"
