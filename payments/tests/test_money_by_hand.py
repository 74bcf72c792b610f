"""Money that people took themselves is recorded by those who run the event, and given back by them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking, expire_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.periodic import all_jobs
from events.models import Event
from events.tests.factories import NOW, an_event
from payments.models import Invoice, MockGatewayEntry, Payment, Refund
from payments.tests.factories import a_paid_booking, a_payment
from users.models import CustomUser
from users.tests.factories import a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def record(booking: Booking, by: CustomUser | None = None, key: str = "", **body: Any) -> Any:
    client = a_client_of(by or booking.event.organizer)
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/bookings/{booking.pk}/record_payment/", {"method": "cash"} | body, headers=headers)


def settle_everything(now: Any = NOW) -> None:
    """Run every job until nothing is owed, as Beat would."""
    for _ in range(4):
        for job in all_jobs().values():
            job.run(now)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def test_a_booking_is_confirmed_and_gets_its_invoice() -> None:
    """PAY-1, PAY-4"""
    booking = a_booking(price="25.00")

    response = record(booking, note="Receipt 17")
    settle_everything()

    body, payment = response.json(), Payment.objects.get()
    booking.refresh_from_db()
    assert response.status_code == 201
    assert (body["id"], body["amount"], body["status"], body["method"], body["gateway"], body["note"]) == (
        payment.pk, "25.00", "completed", "cash", "by_hand", "Receipt 17"
    )  # fmt: skip
    assert (booking.status, booking.amount_due) == ("confirmed", Decimal("25.00"))
    assert (payment.completed_at, payment.next_attempt_at) == (NOW, None)
    assert Invoice.objects.get().total == Decimal("25.00")
    assert MockGatewayEntry.objects.count() == 0
    assert findings() == []


def test_the_history_names_who_took_it() -> None:
    booking = a_booking(price="25.00")

    record(booking, note="Receipt 17")

    changes = StatusChange.objects.filter(subject_type="payments.payment").order_by("pk")
    organizer = f"user:{booking.event.organizer_id}"
    assert [(it.to_status, it.actor, it.note) for it in changes] == [
        ("pending", organizer, ""), ("completed", organizer, "Receipt 17")
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["cash", "bank_transfer", "card", "wallet"])
def test_it_can_have_come_in_any_way(method: str) -> None:
    booking = a_booking(price="25.00")

    assert record(booking, method=method).json()["method"] == method


def test_nobody_pays_cash_over_the_internet() -> None:
    booking = a_booking(price="25.00")

    response = a_client_of(booking.user).post("/api/payments/", {"booking": booking.pk, "method": "cash"})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["method"]
    assert Payment.objects.count() == 0


def test_a_hold_that_has_run_out_is_paid_as_long_as_nobody_closed_it() -> None:
    booking = a_booking(price="25.00", now=NOW - timedelta(hours=5))
    assert booking.is_overdue(NOW)

    response = record(booking)
    settle_everything()

    booking.refresh_from_db()
    assert (response.status_code, booking.status) == (201, "confirmed")
    assert findings() == []


def test_an_expired_booking_is_confirmed_if_its_seats_are_free() -> None:
    """PAY-5"""
    booking = a_booking(price="25.00", now=NOW - timedelta(hours=5))
    expire_booking(booking_id=booking.pk, now=NOW)

    response = record(booking)
    settle_everything()

    booking.refresh_from_db()
    assert (response.status_code, response.json()["amount"]) == (201, "25.00")
    assert (booking.status, booking.amount_due) == ("confirmed", Decimal("25.00"))
    assert findings() == []


def test_an_expired_booking_whose_seats_are_gone_is_refused() -> None:
    event = an_event(price="25.00", capacity=1)
    booking = a_booking(event=event, now=NOW - timedelta(hours=5))
    expire_booking(booking_id=booking.pk, now=NOW)
    a_booking(event=event)

    response = record(booking)

    booking.refresh_from_db()
    assert (response.status_code, response.json()["code"]) == (409, "sold_out")
    assert (booking.status, Payment.objects.count()) == ("expired", 0)


def test_an_expired_booking_is_refused_to_somebody_who_booked_again() -> None:
    event = an_event(price="25.00", capacity=5)
    booking = a_booking(event=event, now=NOW - timedelta(hours=5))
    expire_booking(booking_id=booking.pk, now=NOW)
    a_booking(event=event, user=booking.user)

    response = record(booking)

    assert (response.status_code, response.json()["code"]) == (409, "already_booked")
    assert response.json()["detail"] == "Whoever booked has booked this event again since."  # not "You have ..."
    assert Payment.objects.count() == 0


def test_a_payment_that_did_not_reach_its_gateway_is_cancelled() -> None:
    payment = a_payment(price="25.00")

    response = record(payment.booking)

    payment.refresh_from_db()
    assert (response.status_code, payment.status) == (201, "cancelled")
    assert Payment.objects.taken().get().gateway == "by_hand"


def test_a_payment_at_its_gateway_comes_first() -> None:
    payment = a_payment(price="25.00")
    Payment.objects.update(status="processing", next_attempt_at=NOW + timedelta(minutes=1))

    response = record(payment.booking)

    assert (response.status_code, response.json()["code"]) == (409, "payment_in_progress")
    assert Payment.objects.get().status == "processing"


@pytest.mark.parametrize(
    ("how", "code"), [("paid", "nothing_to_pay"), ("free", "nothing_to_pay"), ("cancelled", "booking_not_payable")]
)
def test_what_is_not_owed_is_not_taken(how: str, code: str) -> None:
    booking = a_paid_booking(price="25.00") if how == "paid" else a_booking(price="0" if how == "free" else "25.00")
    if how == "cancelled":
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    before = Payment.objects.count()

    response = record(booking)

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert Payment.objects.count() == before


def test_nothing_is_taken_for_a_cancelled_event() -> None:
    booking = a_booking(price="25.00")
    Event.objects.filter(pk=booking.event_id).update(status="cancelled")

    response = record(booking)

    assert (response.status_code, response.json()["code"]) == (409, "event_cancelled")
    assert Payment.objects.count() == 0


def test_the_same_key_records_once() -> None:
    """PAY-6, RELIABILITY B1"""
    booking = a_booking(price="25.00")

    answers = [record(booking, key="k1"), record(booking, key="k1")]

    assert [it.status_code for it in answers] == [201, 201]
    assert {it.json()["id"] for it in answers} == {Payment.objects.get().pk}


def test_only_those_who_run_the_event_may() -> None:
    """RELIABILITY H2"""
    booking = a_booking(price="25.00")

    answers = [record(booking, by=person).status_code for person in (booking.user, a_user(), an_organizer())]
    answers.append(a_client().post(f"/api/bookings/{booking.pk}/record_payment/", {"method": "cash"}).status_code)

    assert answers == [403, 403, 404, 401]
    assert Payment.objects.count() == 0
    assert record(booking, by=an_admin()).status_code == 201


def test_what_has_to_go_back_waits_for_a_person() -> None:
    """PAY-5: no gateway can give it back."""
    booking = a_booking(price="25.00")
    record(booking)
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    settle_everything()
    settle_everything(NOW + timedelta(days=30))

    refund = Refund.objects.get()
    waiting = (refund.status, refund.next_attempt_at, refund.parked_at)
    organizer = a_client_of(booking.event.organizer)
    tried_again = organizer.post(f"/api/refunds/{refund.pk}/retry/")
    paid = organizer.post(f"/api/refunds/{refund.pk}/mark_as_paid/", {"note": "In cash"})
    settle_everything(NOW + timedelta(days=30))

    refund.refresh_from_db()
    assert waiting == ("processing", None, None)
    assert (tried_again.status_code, tried_again.json()["code"]) == (409, "invalid_transition")
    assert (paid.status_code, refund.status, refund.by_hand_note) == (200, "completed", "In cash")
    assert Payment.objects.get().status == "refunded"
    assert MockGatewayEntry.objects.count() == 0
    assert findings() == []


def test_it_can_be_paid_back_before_any_worker_saw_it() -> None:
    booking = a_booking(price="25.00")
    record(booking)
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    refund = Refund.objects.get()

    paid = a_client_of(booking.event.organizer).post(f"/api/refunds/{refund.pk}/mark_as_paid/", {"note": "In cash"})
    settle_everything()

    assert (paid.status_code, paid.json()["status"]) == (200, "completed")
    assert Payment.objects.get().refunded_amount == Decimal("25.00")
    assert findings() == []
