"""Those who run an event give a payment back ..., whole or in part."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, mark_no_show
from bookings.tests.factories import a_booking, a_place
from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.periodic import all_jobs
from events.models import Event
from events.services import cancel_event
from events.tests.factories import NOW, START, an_event
from payments.models import Invoice, MockGatewayEntry, Payment, Refund
from payments.services import process_payment, refund_payment
from payments.tests.factories import a_paid_booking, a_processed_payment
from users.models import CustomUser
from users.tests.factories import a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def give_back(payment: Payment, by: CustomUser | None = None, key: str = "", **body: Any) -> Any:
    client = a_client_of(by or payment.booking.event.organizer)
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        f"/api/payments/{payment.pk}/refund/", {"reason": "The sound was bad"} | body, format="json", headers=headers
    )


def settle_everything(now: Any = NOW) -> None:
    """Run every job until nothing is owed, as Beat would."""
    for _ in range(4):
        for job in all_jobs().values():
            job.run(now)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def of(booking: Booking) -> Payment:
    return Payment.objects.get(booking=booking)


def test_a_part_lowers_what_is_due_and_the_booking_stands() -> None:
    """PAY-5, RELIABILITY C3"""
    booking = a_paid_booking(price="25.00")

    response = give_back(of(booking), amount="10.00")
    settle_everything()

    body, refund = response.json(), Refund.objects.get()
    assert response.status_code == 201
    assert (body["id"], body["amount"], body["status"], body["reason"]) == (
        refund.pk, "10.00", "requested", "The sound was bad"
    )  # fmt: skip
    booking.refresh_from_db()
    assert (booking.status, booking.amount_due, booking.total_amount, booking.waiver_reason) == (
        "confirmed", Decimal("15.00"), Decimal("25.00"), ""
    )  # fmt: skip
    assert (of(booking).status, of(booking).refunded_amount) == ("partially_refunded", Decimal("10.00"))
    assert MockGatewayEntry.objects.get(kind="refund").amount == Decimal("10.00")
    assert Invoice.objects.get(kind="credit_note").total == Decimal("-10.00")
    assert findings() == []


def test_the_history_names_who_gave_it_back() -> None:
    booking = a_paid_booking()

    give_back(of(booking), amount="1.00")

    change = StatusChange.objects.get(subject_type="payments.refund")
    assert (change.actor, change.note) == (f"user:{booking.event.organizer_id}", "The sound was bad")


def test_all_of_it_cancels_the_booking_and_frees_its_seats() -> None:
    """PAY-5: a full refund cancels the booking, whatever the refund policy would keep."""
    event = an_event(price="25.00", capacity=1, refund_policy="none")
    booking = a_paid_booking(booking=a_booking(event=event))
    waiting = a_place(event)

    response = give_back(of(booking))
    settle_everything()

    booking.refresh_from_db()
    waiting.refresh_from_db()
    assert (response.status_code, response.json()["amount"]) == (201, "25.00")
    assert (booking.status, booking.amount_due, booking.cancellation_reason) == (
        "cancelled", Decimal(0), "The sound was bad"
    )  # fmt: skip
    assert Ticket.objects.get(booking=booking).status == "cancelled"
    assert waiting.status == "offered"
    assert [refund.amount for refund in Refund.objects.all()] == [Decimal("25.00")]
    assert of(booking).status == "refunded"
    assert findings() == []


def test_the_last_part_cancels_the_booking() -> None:
    booking = a_paid_booking(price="25.00")

    give_back(of(booking), amount="10.00")
    booking.refresh_from_db()
    after_a_part = booking.status
    give_back(of(booking), amount="15.00")
    settle_everything()

    booking.refresh_from_db()
    assert (after_a_part, booking.status, booking.amount_due) == ("confirmed", "cancelled", Decimal(0))
    assert of(booking).status == "refunded"
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("10.00"), Decimal("15.00")]
    assert findings() == []


def test_an_attendee_who_cancels_afterwards_gets_the_policy_of_what_is_left() -> None:
    booking = a_paid_booking(price="25.00", refund_policy="partial", refund_percent=50)

    give_back(of(booking), amount="5.00")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    settle_everything()

    booking.refresh_from_db()
    assert booking.amount_due == Decimal("10.00")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("5.00"), Decimal("10.00")]
    assert findings() == []


def test_what_a_cancellation_kept_can_be_given_back_too() -> None:
    booking = a_paid_booking(price="25.00", refund_policy="none")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    response = give_back(of(booking))
    settle_everything()

    booking.refresh_from_db()
    assert (response.status_code, booking.status, booking.amount_due) == (201, "cancelled", Decimal(0))
    assert of(booking).status == "refunded"
    assert findings() == []


def test_somebody_who_did_not_come_stays_a_no_show_and_it_says_why_nothing_is_due() -> None:
    booking = a_paid_booking(price="25.00")
    then = START + timedelta(hours=1)
    mark_no_show(booking_id=booking.pk, actor=booking.event.organizer, now=then)

    give_back(of(booking), reason="Ill in bed")
    settle_everything()

    booking.refresh_from_db()
    assert (booking.status, booking.amount_due, booking.waiver_reason) == ("no_show", Decimal(0), "Ill in bed")
    assert findings() == []


def test_the_same_key_gives_back_once() -> None:
    """PAY-6, RELIABILITY B1"""
    booking = a_paid_booking(price="25.00")

    first = give_back(of(booking), key="k1", amount="10.00")
    again = give_back(of(booking), key="k1", amount="10.00")
    other = give_back(of(booking), key="k1", amount="11.00")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotency-Replayed"] == "true"
    assert Refund.objects.get().amount == Decimal("10.00")


def test_the_same_key_gives_all_back_once_although_the_booking_is_cancelled_by_then() -> None:
    booking = a_paid_booking(price="25.00")

    first = give_back(of(booking), key="k1")
    again = give_back(of(booking), key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"] == Refund.objects.get().pk


@pytest.mark.parametrize(
    ("currency", "price", "amount", "code"),
    [
        ("EUR", "25.00", "-1", "min_value"),
        ("EUR", "25.00", "0", "min_value"),
        ("EUR", "25.00", "0.00", "min_value"),
        ("EUR", "25.00", "NaN", "invalid"),
        ("EUR", "25.00", "Infinity", "invalid"),
        ("EUR", "25.00", "1e400", "max_digits"),
        ("EUR", "25.00", "0.001", "too_many_decimals"),
        ("JPY", "2500", "0.5", "too_many_decimals"),
        ("JPY", "2500", "12.50", "too_many_decimals"),
        ("KWD", "2.500", "0.0001", "max_decimal_places"),
        ("EUR", "25.00", "ten", "invalid"),
        ("EUR", "25.00", True, "money"),
        ("EUR", "25.00", [1], "invalid"),
        ("EUR", "25.00", "", "invalid"),  # and not all that there is
        ("EUR", "25.00", " ", "invalid"),
        ("EUR", "25.00", "1_0", "money"),
        ("EUR", "25.00", "1e1", "money"),
        ("EUR", "25.00", "\uff11\uff10", "money"),  # in the digits of another script
    ],
)
def test_an_amount_that_is_none_is_refused(currency: str, price: str, amount: Any, code: str) -> None:
    booking = a_paid_booking(currency=currency, price=price)

    response = give_back(of(booking), amount=amount)

    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [("amount", code)]
    assert Refund.objects.count() == 0
    assert of(booking).status == "completed"


@pytest.mark.parametrize(
    ("currency", "price", "amount"), [("JPY", "2500", "1"), ("KWD", "2.500", "0.001"), ("EUR", "25.00", "0.01")]
)
def test_the_smallest_unit_of_a_currency_can_go_back(currency: str, price: str, amount: str) -> None:
    booking = a_paid_booking(currency=currency, price=price)

    response = give_back(of(booking), amount=amount)

    assert (response.status_code, response.json()["amount"]) == (201, amount)


def test_more_than_is_left_is_refused() -> None:
    """PAY-5, RELIABILITY C4"""
    booking = a_paid_booking(price="25.00")
    give_back(of(booking), amount="10.00")

    too_much = give_back(of(booking), amount="15.01")
    all_that_is_left = give_back(of(booking), amount="15.00")
    nothing_left = give_back(of(booking))

    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_exceeds_payment")
    assert too_much.json()["detail"] == "No more than 15.00 EUR is left of this payment."
    assert all_that_is_left.status_code == 201
    assert (nothing_left.status_code, nothing_left.json()["code"]) == (409, "refund_exceeds_payment")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("10.00"), Decimal("15.00")]


@pytest.mark.parametrize("reason", ["", " ", "x" * 256, "a\nb"])
def test_a_reason_is_needed(reason: str) -> None:
    booking = a_paid_booking()

    response = give_back(of(booking), reason=reason)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["reason"]
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("token", ["tok_decline", "tok_timeout"])
def test_a_payment_without_money_cannot_go_back(token: str) -> None:
    payment = a_processed_payment(token=token)

    response = give_back(payment)

    assert (response.status_code, response.json()["code"]) == (409, "payment_not_completed")
    assert Refund.objects.count() == 0


def test_money_of_a_cancelled_event_is_not_given_back_twice() -> None:
    """It was taken before its event was cancelled, and told after that: closing its booking gives it back."""
    payment = a_processed_payment(price="25.00", token="tok_timeout")
    Event.objects.filter(pk=payment.booking.event_id).update(status="cancelled")
    assert payment.next_attempt_at is not None
    process_payment(payment_id=payment.pk, now=payment.next_attempt_at)

    response = give_back(payment)

    payment.refresh_from_db()
    assert (payment.status, payment.booking.status) == ("completed", "pending")
    assert (response.status_code, response.json()["code"]) == (409, "invalid_transition")
    assert Refund.objects.count() == 0


def test_cancelling_the_event_afterwards_gives_back_the_rest() -> None:
    booking = a_paid_booking(price="25.00")
    give_back(of(booking), amount="10.00")

    cancel_event(event_id=booking.event_id, reason="Storm", actor=booking.event.organizer, now=NOW)
    settle_everything()

    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("10.00"), Decimal("15.00")]
    assert of(booking).status == "refunded"
    assert findings() == []


def test_only_those_who_run_the_event_may() -> None:
    """RELIABILITY H2"""
    organizer_as_guest = an_organizer()
    booking = a_paid_booking(booking=a_booking(price=25, user=organizer_as_guest))
    payment = of(booking)

    answers = {
        "nobody": a_client().post(f"/api/payments/{payment.pk}/refund/", {"reason": "Mine"}).status_code,
        "attendee": give_back(payment, by=a_user()).status_code,
        "other": give_back(payment, by=an_organizer()).status_code,
        "payer": give_back(payment, by=organizer_as_guest).status_code,
    }
    code = give_back(payment, by=organizer_as_guest).json()["code"]

    assert answers == {"nobody": 401, "attendee": 403, "other": 404, "payer": 403}
    assert code == "not_owner"
    assert Refund.objects.count() == 0
    assert give_back(payment, by=an_admin()).status_code == 201


def test_a_service_of_ours_cannot_give_back_more_than_nothing_either() -> None:
    booking = a_paid_booking(price="25.00")

    for amount in (Decimal(0), Decimal(-5), Decimal("NaN"), Decimal("Infinity"), Decimal("0.001")):
        with pytest.raises(InvalidInput):
            refund_payment(payment_id=of(booking).pk, amount=amount, reason="x", actor=booking.event.organizer, now=NOW)
    assert Refund.objects.count() == 0
