"""Confirming a booking by hand: nothing is to be paid for it any more."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from events.models import Event
from events.tests.factories import NOW
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def confirm(booking: Booking, user: CustomUser | None = None, reason: str = "Paid in cash") -> Any:
    client = a_client_of(user or booking.event.organizer)
    return client.post(f"/api/bookings/{booking.pk}/confirm/", {"reason": reason})


def test_nothing_is_due_and_the_reason_is_kept() -> None:
    """BKG-4"""
    booking = a_booking(price=25, capacity=3, seats=2)

    body = confirm(booking).json()

    assert (body["status"], body["amount_due"], body["total_amount"]) == ("confirmed", "0.00", "50.00")
    assert (body["waiver_reason"], body["expires_at"], body["confirmed_at"]) == (
        "Paid in cash",
        None,
        "2027-03-01T12:00:00Z",
    )
    assert Event.objects.get().seats_taken == 2
    change = StatusChange.objects.get(subject_type="bookings.booking", to_status="confirmed")
    assert (change.actor, change.note) == (f"user:{booking.event.organizer_id}", "Paid in cash")


def test_is_not_expired_afterwards() -> None:
    from bookings.jobs import JOBS

    booking = a_booking(price=25)
    confirm(booking)

    assert next(job for job in JOBS if job.name == "sweep_expired_holds").run(NOW + timedelta(days=1)) == 0

    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_cancelled_later_it_retains_nothing() -> None:
    booking = a_booking(price=25, refund_policy="none")
    confirm(booking)

    assert cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW).amount_due == Decimal(0)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 256])
def test_takes_a_reason(reason: str) -> None:
    booking = a_booking(price=25)

    answer = confirm(booking, reason=reason)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "reason")
    booking.refresh_from_db()
    assert booking.status == "pending"


def test_by_those_who_run_the_event() -> None:
    booking = a_booking(price=25)

    people = [booking.user, a_user(), an_organizer(), an_admin()]

    assert [confirm(booking, user).status_code for user in people] == [403, 403, 404, 200]


def test_not_by_an_organizer_who_booked_at_somebody_elses_event() -> None:
    booking = a_booking(price=25, user=an_organizer())

    answer = confirm(booking, booking.user)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
    booking.refresh_from_db()
    assert booking.status == "pending"


@pytest.mark.parametrize("status", ["confirmed", "cancelled", "expired", "no_show"])
def test_only_pending_ones(status: str) -> None:
    booking = a_booking(price=25)
    Booking.objects.update(status=status)

    answer = confirm(booking)

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    booking.refresh_from_db()
    assert (booking.status, booking.waiver_reason, booking.amount_due) == (status, "", Decimal(25))


def test_not_on_a_cancelled_event() -> None:
    booking = a_booking(price=25)
    Event.objects.update(status="cancelled")

    assert confirm(booking).json()["code"] == "event_cancelled"


@pytest.mark.parametrize(
    "broken",
    [
        {"waiver_reason": ""},
        {"waiver_reason": "", "invited_as": "Grete", "total_amount": 0},
        {"invited_as": "Grete"},
    ],
)
def test_check_integrity_notices_what_is_free_without_a_reason(broken: dict[str, Any]) -> None:
    """OPS-6"""
    booking = a_booking(price=25)
    confirm(booking)
    check = next(check for check in all_checks() if check.name == "waiver_reason")
    before = list(check.findings())

    Booking.objects.update(**broken)

    assert before == []
    assert [finding.subject for finding in check.findings()] == [f"booking {booking}"]
