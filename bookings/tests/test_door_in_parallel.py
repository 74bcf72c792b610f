"""Many at the door at once: one ticket lets in once, whatever happens beside it; with controls that would notice."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from bookings.models import Booking, Scan, Ticket
from bookings.services import (
    cancel_booking,
    check_in,
    close_doors,
    confirm_booking,
    door,
    no_shows,
    record_scans,
    undo_check_in,
)
from bookings.services.door import AlreadyCheckedIn, Outcome, ScanRequest
from bookings.tests.factories import a_booking, many_bookings
from eventhub_config.shared.actors import System
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.races import at_once, outcomes
from events.models import Event
from events.services import update_event
from events.tests.factories import NOW, START, an_event

pytestmark = pytest.mark.django_db(transaction=True)
DEVICES = 20
END = START + timedelta(hours=3)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def ticket_of(booking: Booking) -> Ticket:
    return Ticket.objects.select_related("booking__event__organizer").get(booking=booking)


def scanning(ticket: Ticket, scan_id: str = "") -> Callable[[], Ticket]:
    event = ticket.booking.event
    return lambda: check_in(event_id=event.pk, scan=ScanRequest(ticket.code, scan_id), actor=event.organizer, now=NOW)


def moves_of(ticket: Ticket) -> list[str]:
    moves = StatusChange.objects.filter(subject_type="bookings.ticket", subject_id=ticket.pk).order_by("pk")
    return [move.to_status for move in moves]


def test_of_twenty_devices_that_scan_one_code_one_lets_in() -> None:
    """BKG-6"""
    ticket = ticket_of(a_booking())

    results = outcomes(at_once([scanning(ticket, f"device-{number}") for number in range(DEVICES)]))

    assert results == {"ok": 1, "already_checked_in": DEVICES - 1}
    assert moves_of(ticket) == ["checked_in"]
    assert Scan.objects.filter(outcome="checked_in").count() == 1
    assert Scan.objects.count() == DEVICES
    assert findings() == []


def test_each_of_them_is_told_who_let_in_with_it() -> None:
    """BKG-6: also those who waited for the lock, and found the ticket free when they began."""
    for _ in range(5):
        ticket = ticket_of(a_booking())
        by = ticket.booking.event.organizer

        refusals = [result for result in at_once([scanning(ticket)] * 8) if isinstance(result, AlreadyCheckedIn)]

        assert {refusal.tickets[0].checked_in_by for refusal in refusals} == {by}
        assert all(refusal.detail.endswith(f" by {by.display_name}.") for refusal in refusals)


def test_one_scan_that_is_sent_twenty_times_is_answered_alike() -> None:
    ticket = ticket_of(a_booking())

    results = outcomes(at_once([scanning(ticket, "device-1")] * DEVICES))

    assert results == {"ok": DEVICES}
    assert moves_of(ticket) == ["checked_in"]
    assert Scan.objects.count() == 1


def test_control_without_locks_one_code_lets_in_twice() -> None:
    """Look first, let in later, in two transactions: what naive code does."""
    ticket = ticket_of(a_booking())
    looked = threading.Barrier(DEVICES)

    def let_in() -> bool:
        found = Ticket.objects.get(pk=ticket.pk)
        looked.wait()
        if found.status != Ticket.Status.VALID:
            return False
        found.move_to(Ticket.Status.CHECKED_IN, actor=System("test"), at=NOW)
        return True

    assert sum(result is True for result in at_once([let_in] * DEVICES)) > 1
    assert len(moves_of(ticket)) > 1


def test_nobody_comes_in_with_a_ticket_that_is_being_cancelled() -> None:
    """Whoever was first: in and then cancelled, or cancelled and refused."""
    for _ in range(10):
        ticket = ticket_of(a_booking())
        booking = ticket.booking
        cancel = lambda pk=booking.pk, by=booking.event.organizer: cancel_booking(booking_id=pk, actor=by, now=NOW)  # noqa: E731

        results = at_once([cancel, *[scanning(ticket)] * 4])

        booking.refresh_from_db()
        ticket.refresh_from_db()
        assert (booking.status, ticket.status) == ("cancelled", "cancelled")
        told = outcomes(results[1:])
        assert set(told) <= {"ok", "already_checked_in", "ticket_cancelled"}
        assert moves_of(ticket) == (["checked_in", "cancelled"] if told["ok"] else ["cancelled"])
        assert told["ok"] <= 1
        assert Event.objects.get(pk=booking.event_id).seats_taken == 0
    assert findings() == []


def test_control_without_the_bookings_lock_a_cancelled_one_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pair, with the cancellation let through between looking and letting in."""
    ticket = ticket_of(a_booking())
    booking = ticket.booking

    def cancelled_meanwhile(self: Any) -> None:
        Booking.objects.filter(pk=booking.pk).update(status="cancelled")
        Ticket.objects.filter(pk=ticket.pk).update(status="cancelled")
        written(self)

    written = door._Door.write
    monkeypatch.setattr(door, "_LOCK", "")
    monkeypatch.setattr(door._Door, "write", cancelled_meanwhile)

    scanning(ticket)()

    ticket.refresh_from_db()
    assert ticket.status == "checked_in"
    assert any("booking_tickets" in finding for finding in findings())


def test_the_same_upload_sent_twice_at_once_is_answered_alike() -> None:
    """BKG-6: as a phone does whose network comes and goes."""
    event = an_event()
    many_bookings(event, 60)
    codes = list(Ticket.objects.order_by("pk").values_list("code", flat=True))
    # The second half scans the first once more; and something that is no ticket, which locks nothing.
    scans = [ScanRequest(code, f"a-{number}") for number, code in enumerate([*codes, *codes, "nonsense"])]
    upload = lambda: record_scans(event_id=event.pk, scans=scans, actor=event.organizer, now=NOW)  # noqa: E731

    results = at_once([upload] * 4)

    assert outcomes(results) == {"ok": 4}
    answers = [[outcome.code for outcome in result] for result in results]
    assert answers == [["checked_in"] * 60 + ["already_checked_in"] * 60 + ["unknown_ticket"]] * 4
    assert Scan.objects.count() == 121
    assert StatusChange.objects.filter(subject_type="bookings.ticket").count() == 60
    assert findings() == []


def test_uploads_of_several_devices_never_wait_in_a_circle() -> None:
    """Each in an order of its own, some of it the same people."""
    event = an_event()
    many_bookings(event, 60)
    codes = list(Ticket.objects.order_by("pk").values_list("code", flat=True))

    def uploading(device: int) -> Callable[[], list[Outcome]]:
        order = codes[device * 10 :] + codes[: device * 10]
        scans = [ScanRequest(code, f"{device}-{number}") for number, code in enumerate(order[:: (-1) ** device])]
        return lambda: record_scans(event_id=event.pk, scans=scans, actor=event.organizer, now=NOW)

    results = at_once([uploading(device) for device in range(6)])

    assert outcomes(results) == {"ok": 6}
    let_in = sum(outcome.refusal is None for result in results for outcome in result)
    assert let_in == Ticket.objects.filter(status="checked_in").count() == 60
    assert findings() == []


def test_uploads_and_a_move_of_the_event_never_wait_in_a_circle(caplog: Any) -> None:
    """People are let in before the start; a move marks every booking of the event."""
    caplog.set_level("INFO")
    event = an_event()
    many_bookings(event, 400)
    for pk in Booking.objects.order_by("-pk").values_list("pk", flat=True):
        Booking.objects.filter(pk=pk).update(cancellation_reason="")  # the rows lie in another order than their ids
    codes = list(Ticket.objects.order_by("pk").values_list("code", flat=True))

    def uploading(device: int, times: int) -> Callable[[], list[Outcome]]:
        own = codes[device * 200 : (device + 1) * 200]
        scans = [ScanRequest(code, f"{times}-{device}-{number}") for number, code in enumerate(own)]
        return lambda: record_scans(event_id=event.pk, scans=scans, actor=event.organizer, now=NOW)

    for times in range(8):
        move = lambda city=f"City {times}": update_event(  # noqa: E731
            event_id=event.pk, changes={"city": city}, actor=event.organizer, now=NOW
        )
        assert outcomes(at_once([uploading(0, times), uploading(1, times), move])) == {"ok": 3}
    assert "deadlock" not in caplog.text


def test_the_same_id_of_two_scans_at_once_lets_one_in() -> None:
    """Their locks do not meet: the unique key decides, and who lost is asked anew."""
    event = an_event()
    tickets = [ticket_of(a_booking(event=event)) for _ in range(6)]

    results = outcomes(at_once([scanning(ticket, "a-1") for ticket in tickets]))

    assert results == {"ok": 1, "scan_id_reused": 5}
    assert Ticket.objects.filter(status="checked_in").count() == 1


def test_check_in_and_its_undoing_take_turns() -> None:
    ticket = ticket_of(a_booking())
    by = ticket.booking.event.organizer
    undo = lambda: undo_check_in(ticket_id=ticket.pk, actor=by, now=NOW)  # noqa: E731

    results = outcomes(at_once([scanning(ticket), undo] * 8))

    moves = moves_of(ticket)
    ticket.refresh_from_db()
    assert moves == [("checked_in", "valid")[number % 2] for number in range(len(moves))]
    assert results["ok"] == len(moves) >= 1
    assert ticket.status == moves[-1]
    assert findings() == []


def while_the_doors_close() -> Counter[str]:
    """Let six people come while the doors are being closed."""
    event = an_event()
    many_bookings(event, 6)
    tickets = list(Ticket.objects.select_related("booking__event__organizer").filter(event=event))
    close = lambda: close_doors(event_id=event.pk, actor=event.organizer, now=END)  # noqa: E731
    return outcomes(at_once([close, *(scanning(ticket) for ticket in tickets)]))


def test_whoever_comes_while_the_doors_close_is_no_no_show() -> None:
    """Whoever was too late for it is taken back."""
    for _ in range(8):
        assert while_the_doors_close() == {"ok": 7}
    assert set(Booking.objects.values_list("status", flat=True)) == {"confirmed"}
    assert findings() == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time")
def test_control_without_a_second_look_the_doors_close_on_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A race need not be lost at the first go, so it is run until it is."""
    monkeypatch.setattr(no_shows, "_of_which_somebody_came", lambda _bookings: set())

    for _ in range(60):
        while_the_doors_close()
        wrong = [finding for finding in findings() if finding.startswith("no_shows")]
        if wrong:
            break

    assert wrong


def test_payment_and_check_in_of_one_booking_never_cross() -> None:
    """Unpaid and refused, or paid and in."""
    for _ in range(8):
        ticket = ticket_of(a_booking(price=5))
        pay = lambda pk=ticket.booking_id: confirm_booking(booking_id=pk, actor=System("test"), now=NOW)  # noqa: E731

        results = at_once([pay, scanning(ticket)])

        ticket.refresh_from_db()
        assert outcomes(results[:1]) == {"ok": 1}
        assert outcomes(results[1:]) == {"ok" if ticket.status == "checked_in" else "ticket_unpaid": 1}
    assert not any(finding.startswith("no_shows") for finding in findings())
