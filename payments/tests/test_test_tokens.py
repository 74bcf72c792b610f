"""Test tokens of the mock gateway make happen what they say, through the worker's services and in its own books."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.errors import Busy
from events.tests.factories import NOW
from payments.gateway import ChargeOrder, GatewayUnavailableError, RefundOrder, gateway
from payments.models import MockGatewayEntry, Payment, Refund
from payments.services import process_payment, send_refund, time_out_payment
from payments.services.charging import order_of
from payments.services.mock_gateway import settle_due
from payments.tests.factories import a_paid_booking, a_payment, a_processed_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

SECOND = timedelta(seconds=1)


def at(moment: Any, do: Callable[..., Any], **ids: int) -> None:
    """Do it at a moment that is the gateway's as well as ours."""
    with time_machine.travel(moment, tick=False):
        do(**ids, now=moment)


def test_late_success_is_pending_until_its_seconds_are_over() -> None:
    """PAY-2"""
    payment = a_processed_payment(token="tok_late_success:5")
    assert (payment.status, payment.failure_code, payment.attempts) == ("processing", "", 0)
    assert payment.next_attempt_at == NOW + 5 * SECOND
    assert payment.gateway_reference == MockGatewayEntry.objects.get().reference

    at(NOW + 4 * SECOND, process_payment, payment_id=payment.pk)
    payment.refresh_from_db()
    assert payment.status == "processing"

    at(NOW + 5 * SECOND, process_payment, payment_id=payment.pk)
    payment.refresh_from_db()
    assert (payment.status, Booking.objects.get().status) == ("completed", "confirmed")
    assert MockGatewayEntry.objects.get().succeeded is True


def test_late_decline_says_nothing_of_it_before_its_seconds_are_over(settings: Any) -> None:
    """PAY-2"""
    settings.MOCK_GATEWAY_LATE_SECONDS = 30
    payment = a_processed_payment(token="tok_late_decline")
    assert (payment.status, payment.failure_code, payment.last_error) == ("processing", "", "")

    at(NOW + 30 * SECOND, process_payment, payment_id=payment.pk)
    payment.refresh_from_db()

    assert (payment.status, payment.failure_code) == ("failed", "card_declined")
    assert Booking.objects.get().status == "pending"


def test_late_success_cannot_be_cancelled_and_counts_after_the_time_is_up() -> None:
    """PAY-3, PAY-5, RELIABILITY C1"""
    payment = a_processed_payment(token="tok_late_success:7200", capacity=1)
    later = NOW + timedelta(hours=1)

    at(later, time_out_payment, payment_id=payment.pk)
    payment.refresh_from_db()
    assert (payment.status, Booking.objects.get().status) == ("processing", "expired")

    at(NOW + timedelta(hours=2), process_payment, payment_id=payment.pk)
    payment.refresh_from_db()
    assert (payment.status, Booking.objects.get().status) == ("completed", "confirmed")


def test_what_is_late_is_decided_though_nobody_asks() -> None:
    a_processed_payment(token="tok_late_success:5")
    assert settle_due(NOW + 4 * SECOND) == 0

    assert settle_due(NOW + 5 * SECOND) == 1

    assert MockGatewayEntry.objects.get().succeeded is True


@pytest.mark.parametrize(
    ("token", "amount", "currency"),
    [("tok_wrong_amount", "26.00", "EUR"), ("tok_wrong_currency", "25.00", "USD")],
)
def test_wrong_money_confirms_nothing_and_goes_back(token: str, amount: str, currency: str) -> None:
    """PAY-2, RELIABILITY C6"""
    payment = a_processed_payment(token=token)
    send_refund(refund_id=Refund.objects.get().pk, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("refunded", "wrong_amount")
    assert (payment.amount, payment.currency) == (Decimal(amount), currency)
    assert Booking.objects.get().status == "pending"
    back = MockGatewayEntry.objects.get(kind="refund")
    assert (back.succeeded, back.amount, back.currency) == (True, Decimal(amount), currency)


def test_wrong_currency_takes_what_that_currency_can_hold() -> None:
    payment = a_processed_payment(token="tok_wrong_currency", price="1.234", currency="KWD")

    assert (payment.amount, payment.currency) == (Decimal("1.23"), "EUR")


def test_action_required_waits_for_the_person_and_can_be_cancelled(settings: Any) -> None:
    """PAY-1, PAY-2"""
    settings.PUBLIC_URL = "https://events.example.org"
    payment = a_processed_payment(token="tok_action_required")
    entry = MockGatewayEntry.objects.get()
    assert payment.next_action_url == f"https://events.example.org/mock-gateway/{entry.reference}/"
    assert (payment.status, payment.next_attempt_at) == ("processing", NOW + timedelta(minutes=1))

    time_out_payment(payment_id=payment.pk, now=NOW + timedelta(hours=1))

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code, payment.next_action_url) == ("failed", "cancelled", "")
    entry.refresh_from_db()
    assert (entry.succeeded, entry.awaits_person) == (False, False)


def test_refund_fails_refuses_each_refund_of_its_charge() -> None:
    """PAY-5"""
    booking = a_paid_booking(token="tok_refund_fails")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()

    send_refund(refund_id=refund.pk, now=NOW)

    refund.refresh_from_db()
    assert (refund.status, refund.failure_code) == ("failed", "refund_declined")
    assert MockGatewayEntry.objects.get(kind="refund").succeeded is False


def test_refund_pending_takes_its_seconds() -> None:
    """PAY-5"""
    booking = a_paid_booking(token="tok_refund_pending:60")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()

    send_refund(refund_id=refund.pk, now=NOW)
    refund.refresh_from_db()
    assert (refund.status, refund.next_attempt_at) == ("processing", NOW + timedelta(minutes=1))

    at(NOW + timedelta(minutes=1), send_refund, refund_id=refund.pk)
    refund.refresh_from_db()
    assert (refund.status, Payment.objects.get().status) == ("completed", "refunded")


@pytest.mark.parametrize(
    "token", ["tok_nonsense", "tok_success:soon", "tok_success:", "tok_late_success:-1", "tok_late_success:1234567"]
)
def test_a_token_that_nobody_knows_is_declined(token: str) -> None:
    payment = a_processed_payment(token=token)

    assert (payment.status, payment.failure_code) == ("failed", "unknown_token")


def test_tokens_mean_nothing_where_they_are_switched_off(settings: Any) -> None:
    settings.MOCK_GATEWAY_TEST_TOKENS = False
    settings.MOCK_GATEWAY_SUCCESS_RATE = 1.0

    payment = a_processed_payment(token="tok_decline")

    assert payment.status == "completed"
    assert MockGatewayEntry.objects.get().script == ""


def test_seconds_are_how_long_the_answer_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("payments.gateways.mock.time.sleep", slept.append)

    for token in ("tok_success", "tok_decline:3", "tok_success:999", "tok_late_success:9"):
        a_processed_payment(token=token)

    assert slept == [3, 30]


# --- Its own books ----------------------------------------------------------------------------------------------------


def test_never_charges_one_key_twice() -> None:
    """RELIABILITY C2"""
    payment = a_processed_payment(token="tok_decline")
    order = order_of(Payment.objects.select_related("booking").get(pk=payment.pk))

    again = gateway("mock").charge(order)

    assert (again.failure_code, MockGatewayEntry.objects.count()) == ("card_declined", 1)


def test_never_gives_back_more_than_it_took() -> None:
    """RELIABILITY C4: a second guard, behind our own."""
    payment = a_processed_payment()
    desk = gateway("mock")

    def back(key: str, amount: str, currency: str = "EUR", charge: str = payment.gateway_reference) -> str:
        return desk.refund(RefundOrder(key, charge, Decimal(amount), currency)).failure_code

    assert back("a", "15.00") == ""
    assert back("b", "10.01") == "exceeds_charge"
    assert back("b", "10.00") == "exceeds_charge"  # a key that was answered stays answered
    assert back("a", "15.00") == ""
    assert back("c", "5.00", currency="USD") == "wrong_currency"
    assert back("d", "5.00", charge="mock_ch_nowhere") == "no_such_charge"
    assert back("e", "10.00") == ""
    assert back("f", "0.01") == "exceeds_charge"


def test_gives_nothing_back_of_what_it_did_not_take() -> None:
    declined = a_processed_payment(token="tok_decline")
    order = RefundOrder("a", declined.gateway_reference, Decimal(1), "EUR")

    assert gateway("mock").refund(order).failure_code == "no_such_charge"


def test_books_that_cannot_be_reached_say_nothing_of_what_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELIABILITY C5: neither charged nor declined, but asked again."""

    def busy(**_: Any) -> None:
        raise Busy

    payment = a_payment(booking=a_booking(price=25))
    with monkeypatch.context() as patch:
        patch.setattr("payments.services.mock_gateway.enter", busy)
        process_payment(payment_id=payment.pk, now=NOW)
    payment.refresh_from_db()
    assert (payment.status, MockGatewayEntry.objects.count()) == ("processing", 0)
    assert payment.last_error.startswith("The books are busy")

    process_payment(payment_id=payment.pk, now=NOW + 20 * SECOND)
    payment.refresh_from_db()
    assert (payment.status, MockGatewayEntry.objects.count()) == ("completed", 1)


def test_a_lost_answer_is_told_to_be_unknown() -> None:
    order = ChargeOrder("key", Decimal(5), "EUR", token="tok_timeout")
    desk = gateway("mock")

    with pytest.raises(GatewayUnavailableError):
        desk.charge(order)

    found = desk.find_charge(order)
    assert found is not None
    assert found.succeeded
    assert desk.charge(order).succeeded
