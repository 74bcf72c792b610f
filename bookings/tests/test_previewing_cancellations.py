"""What cancelling would give back, told before: as ``cancel`` would then decide."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.services import update_event
from events.tests.factories import NOW, START
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def preview(booking: Booking, user: CustomUser | None = None) -> Any:
    return a_client_of(user or booking.user).get(f"/api/bookings/{booking.pk}/cancellation/")


def a_confirmed_booking(**values: Any) -> Booking:
    booking = a_booking(**{"price": "10.05"} | values)
    Booking.objects.filter(pk=booking.pk).update(status="confirmed", expires_at=None)
    booking.refresh_from_db()
    return booking


def amounts(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["paid_amount"], body["refund_amount"], body["retained_amount"]


def test_tells_amounts_terms_and_until_when() -> None:
    """BKG-4"""
    booking = a_confirmed_booking(refund_policy="partial", refund_percent=50, refund_until=START - timedelta(days=2))

    answer = preview(booking)

    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "is_allowed": True,
        "reason": None,
        "detail": "",
        "by_attendee": True,
        "paid_amount": "10.05",
        "refund_amount": "5.03",
        "retained_amount": "5.02",
        "currency": "EUR",
        "policy": "50 % go back until Mon 29 March 2027, 14:00 (Europe/Berlin), nothing after that.",
        "until": "2027-03-29T12:00:00Z",
    }


CASES: dict[str, tuple[dict[str, Any], timedelta]] = {
    "all of it": ({"refund_policy": "full"}, timedelta(days=1)),
    "a part": ({"refund_policy": "partial", "refund_percent": 33}, timedelta(days=1)),
    "nothing": ({"refund_policy": "none"}, timedelta(days=20)),
    "a second before the deadline": (
        {"refund_policy": "full", "refund_until": START - timedelta(days=2)},
        timedelta(days=2, seconds=1),
    ),
    "at the deadline": ({"refund_policy": "full", "refund_until": START - timedelta(days=2)}, timedelta(days=2)),
    "for nothing": ({"price": 0}, timedelta(days=1)),
    "at the start": ({"refund_policy": "full"}, timedelta(0)),
}


@pytest.mark.parametrize(("values", "before"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("who", ["attendee", "organizer", "admin"])
def test_is_what_cancelling_does(values: dict[str, Any], before: timedelta, who: str) -> None:
    booking = a_confirmed_booking(**values)
    actor = {"attendee": booking.user, "organizer": booking.event.organizer, "admin": an_admin()}[who]

    with time_machine.travel(START - before, tick=False):
        told = preview(booking, actor).json()
        done = a_client_of(actor).post(f"/api/bookings/{booking.pk}/cancel/", {}).json()

    if told["is_allowed"]:
        assert done["amount_due"] == told["retained_amount"]
        paid, refund, kept = (Decimal(amount) for amount in amounts(told))
        assert paid == refund + kept == booking.total_amount
    else:
        assert (done["code"], done["detail"]) == (told["reason"], told["detail"])
        assert (who, before) == ("attendee", timedelta(0))


def test_until_holds_from_both_sides() -> None:
    """The amounts are the same just before that moment, and others at it."""
    booking = a_confirmed_booking(refund_policy="full", refund_until=START - timedelta(days=2))
    first = preview(booking).json()
    until = START - timedelta(days=2)

    with time_machine.travel(until - timedelta(seconds=1), tick=False):
        before = preview(booking).json()
    with time_machine.travel(until, tick=False):
        after = preview(booking).json()

    assert first["until"] == "2027-03-29T12:00:00Z"
    assert amounts(first) == amounts(before) == ("10.05", "10.05", "0.00")
    assert amounts(after) == ("10.05", "0.00", "10.05")


def test_a_moved_event_gives_everything_back() -> None:
    booking = a_confirmed_booking(refund_policy="none")
    update_event(event_id=booking.event_id, changes={"city": "Oslo"}, actor=booking.event.organizer, now=NOW)

    body = preview(booking).json()

    assert amounts(body) == ("10.05", "10.05", "0.00")
    assert body["policy"].startswith("The event was moved: everything goes back until ")


def test_those_who_run_the_event_give_everything_back() -> None:
    booking = a_confirmed_booking(refund_policy="none")

    body = preview(booking, booking.event.organizer).json()

    assert (body["by_attendee"], amounts(body), body["until"]) == (False, ("10.05", "10.05", "0.00"), None)


def test_what_is_not_paid_yet_costs_nothing() -> None:
    booking = a_booking(price=5, refund_policy="none")

    body = preview(booking).json()

    assert (body["is_allowed"], amounts(body)) == (True, ("0.00", "0.00", "0.00"))
    assert body["until"] == "2027-03-01T12:15:00Z"


def test_a_closed_booking_cannot_be_cancelled_again() -> None:
    booking = a_confirmed_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    body = preview(booking).json()

    assert (body["is_allowed"], body["reason"]) == (False, "invalid_transition")
    assert body["detail"] == "This booking is cancelled already."
    assert (body["policy"], body["until"]) == ("This booking is closed already.", None)


def test_looking_changes_nothing_and_is_for_those_who_may_see_it() -> None:
    booking = a_confirmed_booking()
    before = Booking.objects.values().get()

    assert [preview(booking, user).status_code for user in (a_user(), an_organizer())] == [404, 404]
    with CaptureQueriesContext(connection) as queries:
        preview(booking)

    assert not [query["sql"] for query in queries if query["sql"].startswith("UPDATE") and "bookings_" in query["sql"]]
    assert Booking.objects.values().get() == before
