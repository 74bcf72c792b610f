"""A refund that failed needs nobody's eye any more, once its money is promised back in another way."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.periodic import all_jobs
from events.tests.factories import NOW
from payments.gateway import Outcome, gateway
from payments.models import Invoice, MockGatewayEntry, Payment, Refund
from payments.services import mark_refund_as_paid, refund_payment, retry_refund, send_refund
from payments.services.charging import order_of, record_charge
from payments.services.refunding import RefundExceedsPayment
from payments.tests.factories import a_paid_booking, a_processed_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = NOW + timedelta(minutes=1)


def a_failed_refund(amount: str, **values: Any) -> Refund:
    """Return a part of a payment of 25 that its gateway did not give back."""
    booking = a_paid_booking(token="tok_refund_fails", price="25.00", **values)
    payment = Payment.objects.get(booking=booking)
    organizer = booking.event.organizer
    refund = refund_payment(payment_id=payment.pk, amount=Decimal(amount), reason="Rain", actor=organizer, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)
    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, NOW)
    return refund


def test_it_is_shown_no_more_when_all_of_the_payment_goes_back() -> None:
    """PAY-5"""
    refund = a_failed_refund("10.00")
    booking = refund.payment.booking

    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)

    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, None)
    assert list(Refund.objects.counting().values_list("amount", flat=True)) == [Decimal("25.00")]


def test_the_rest_of_it_is_asked_for_anew_when_a_part_of_it_goes_back_otherwise() -> None:
    """PAY-5: it is too large to be tried again, and what is left of it is owed still."""
    refund = a_failed_refund("10.00")
    the_gateway_has_changed_its_mind()

    give_back(refund.payment, "4.00")
    settle_everything()

    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, None)
    assert sorted(Refund.objects.counting().values_list("amount", flat=True)) == [Decimal("4.00"), Decimal("6.00")]
    assert findings() == []


def test_a_part_given_back_by_hand_leaves_the_rest_to_a_refund_of_its_own() -> None:
    """PAY-5: both the part and then the whole were refused by the gateway; a person paid out the part."""
    refund = a_failed_refund("7.50")
    booking, organizer = refund.payment.booking, refund.payment.booking.event.organizer
    cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
    whole = Refund.objects.exclude(pk=refund.pk).get()
    send_refund(refund_id=whole.pk, now=NOW)

    mark_refund_as_paid(refund_id=refund.pk, note="In cash", actor=organizer, now=NOW)

    whole.refresh_from_db()
    assert (whole.amount, whole.status, whole.parked_at) == (Decimal("25.00"), Refund.Status.FAILED, None)
    rest = Refund.objects.exclude(pk__in=[refund.pk, whole.pk]).get()
    assert (rest.amount, rest.status) == (Decimal("17.50"), Refund.Status.REQUESTED)
    send_refund(refund_id=rest.pk, now=NOW)
    mark_refund_as_paid(refund_id=rest.pk, note="In cash", actor=organizer, now=NOW)
    settle_everything()
    assert findings() == []


def test_it_is_shown_no_more_when_the_same_is_given_back_anew() -> None:
    """Nobody could do anything about it: its money is gone, and what is left is wanted."""
    refund = a_failed_refund("10.00")
    the_gateway_has_changed_its_mind()

    give_back(refund.payment, "10.00")
    settle_everything()

    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, None)
    with pytest.raises(RefundExceedsPayment):
        retry_refund(refund_id=refund.pk, actor=refund.payment.booking.event.organizer, now=NOW)
    assert findings() == []


def test_it_is_shown_no_more_when_a_cancellation_gives_back_its_part() -> None:
    refund = a_failed_refund("10.00", refund_policy="partial", refund_percent=50)
    booking = refund.payment.booking
    the_gateway_has_changed_its_mind()

    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    settle_everything()

    refund.refresh_from_db()
    assert (refund.status, refund.parked_at) == (Refund.Status.FAILED, None)
    assert findings() == []


def test_of_two_for_the_same_money_one_is_tried_again_and_neither_is_shown() -> None:
    refund = a_failed_refund("10.00")
    again = give_back(refund.payment, "10.00")
    send_refund(refund_id=again.pk, now=NOW)
    the_gateway_has_changed_its_mind()

    retry_refund(refund_id=refund.pk, actor=refund.payment.booking.event.organizer, now=NOW)
    settle_everything()

    assert list(Refund.objects.order_by("pk").values_list("status", "parked_at")) == [
        ("completed", None), ("failed", None)
    ]  # fmt: skip
    assert findings() == []


def test_of_two_for_the_same_money_one_is_paid_by_hand_and_neither_is_shown() -> None:
    refund = a_failed_refund("10.00")
    again = give_back(refund.payment, "10.00")
    send_refund(refund_id=again.pk, now=NOW)

    mark_refund_as_paid(refund_id=refund.pk, note="In cash", actor=refund.payment.booking.event.organizer, now=NOW)
    settle_everything()

    assert list(Refund.objects.order_by("pk").values_list("status", "parked_at")) == [
        ("completed", None), ("failed", None)
    ]  # fmt: skip
    assert findings() == []


def test_until_somebody_acts_it_is_the_refund_that_is_wrong_and_no_invoice() -> None:
    """What is to go back gets none, so nobody is to be told to issue it."""
    two_payments_of_one_booking()

    assert {finding.partition(":")[0] for finding in findings()} == {"money_kept", "work_parked"}


def test_a_second_payment_that_did_not_go_back_is_kept_and_invoiced_when_the_first_one_goes_back() -> None:
    """PAY-4: its money was to return at once, so it had no invoice."""
    first, second = two_payments_of_one_booking()
    booking, refused = first.booking, Refund.objects.get(payment=second)
    before = list(Invoice.objects.values_list("payment_id", flat=True))

    give_back(first, None)
    settle_everything(LATER)

    booking.refresh_from_db()
    refused.refresh_from_db()
    assert before == [first.pk]
    assert (booking.status, booking.amount_due) == ("confirmed", Decimal("25.00"))
    assert (refused.status, refused.parked_at) == (Refund.Status.FAILED, None)
    assert list(Invoice.objects.order_by("pk").values_list("payment_id", "kind", "total")) == [
        (first.pk, "invoice", Decimal("25.00")),
        (second.pk, "invoice", Decimal("25.00")),
        (first.pk, "credit_note", Decimal("-25.00")),
    ]
    assert findings() == []


def test_what_went_back_of_a_second_payment_before_it_was_kept_has_its_credit_note() -> None:
    """PAY-4"""
    first, second = two_payments_of_one_booking()
    books = MockGatewayEntry.objects.filter(kind="charge")
    books.update(script="tok_success")
    part = give_back(second, "10.00")
    send_refund(refund_id=part.pk, now=NOW)
    books.filter(key=second.gateway_key).update(script="tok_refund_fails")  # so the rest stays where it is
    settle_everything(LATER)
    without = Invoice.objects.filter(payment=second).count()

    give_back(first, "15.00")
    settle_everything(LATER)

    assert without == 0
    assert sorted(Invoice.objects.values_list("payment_id", "kind", "total")) == [
        (second.pk, "credit_note", Decimal("-10.00")),
        (second.pk, "invoice", Decimal("25.00")),
        (first.pk, "credit_note", Decimal("-15.00")),
        (first.pk, "invoice", Decimal("25.00")),
    ]
    assert findings() == []


def two_payments_of_one_booking() -> tuple[Payment, Payment]:
    """Return a payment that is kept, and one whose late success came on top and that its gateway did not give back."""
    booking = a_booking(price="25.00", now=NOW)
    lost = a_processed_payment(booking=booking, token="tok_decline")
    first = a_processed_payment(booking=booking)
    MockGatewayEntry.objects.filter(key=lost.gateway_key).update(
        succeeded=True, failure_code="", script="tok_refund_fails"
    )
    second = record_charge(payment_id=lost.pk, outcome=found(lost), now=LATER)
    settle_everything(LATER)
    assert Refund.objects.get().parked_at == LATER
    return first, second


def found(payment: Payment) -> Outcome:
    outcome = gateway(payment.gateway).find_charge(order_of(payment))
    assert outcome is not None
    return outcome


def give_back(payment: Payment, amount: str | None) -> Refund:
    organizer, part = payment.booking.event.organizer, None if amount is None else Decimal(amount)
    return refund_payment(payment_id=payment.pk, amount=part, reason="Snow", actor=organizer, now=NOW)


def the_gateway_has_changed_its_mind() -> None:
    MockGatewayEntry.objects.filter(kind="charge").update(script="tok_success")


def settle_everything(now: datetime = NOW) -> None:
    for lap in range(4):
        for job in all_jobs().values():
            job.run(now + lap * timedelta(minutes=1))


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]
