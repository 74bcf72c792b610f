"""Payments through Stripe: from the API to the worker to a stand-in over HTTP, and back."""

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.tests.factories import NOW
from payments.gateway import gateway
from payments.gateways.stripe import StripeGateway
from payments.models import MockGatewayEntry, Payment, Refund
from payments.services import process_payment, request_refund, send_refund, time_out_payment
from payments.tests.factories import a_payment, a_processed_payment
from payments.tests.stripe_stand_in import (
    BANK_DEBIT,
    DECLINED,
    REFUND_PENDS,
    SECRET_KEY,
    THREE_D_SECURE,
    VISA,
    StripeStandIn,
    stripe_stand_in,
)

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
LATER = NOW + timedelta(hours=2)


class KilledError(BaseException):
    pass


def processed(payment: Payment, at: datetime = NOW) -> Payment:
    process_payment(payment_id=payment.pk, now=at)
    payment.refresh_from_db()
    return payment


def owed(payment: Payment, amount: Any, at: datetime = NOW) -> Refund:
    """Return a part of a payment that is to go back."""
    user = payment.booking.user
    return request_refund(payment=payment, amount=Decimal(amount), reason="Storm", actor=user, now=at)


def sent(refund: Refund, at: datetime = NOW) -> Refund:
    send_refund(refund_id=refund.pk, now=at)
    refund.refresh_from_db()
    return refund


def booking_of(payment: Payment) -> Booking:
    return Booking.objects.get(pk=payment.booking_id)


# --- Paying -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_now")
def test_the_whole_life_of_a_payment(stripe_books: StripeStandIn) -> None:
    """PAY-1, PAY-2, PAY-5"""
    booking = a_booking(price="25.00")
    client = APIClient()
    client.force_authenticate(booking.user)

    asked = client.post("/api/payments/", {"booking": booking.pk, "token": VISA})
    payment = processed(Payment.objects.get())
    paid = client.get(f"/api/payments/{payment.pk}/").json()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = sent(Refund.objects.get())
    payment.refresh_from_db()

    (intent,) = stripe_books.intents.values()
    (returned,) = stripe_books.refunds.values()
    assert (asked.status_code, asked.json()["gateway"], asked.json()["status"]) == (202, "stripe", "pending")
    assert (paid["status"], paid["gateway_reference"], paid["next_action"]) == ("completed", intent["id"], None)
    assert (intent["amount"], intent["currency"], intent["description"]) == (2500, "eur", booking.reference)
    assert intent["metadata"] == {"eventhub_payment": payment.gateway_key}
    assert (refund.status, refund.gateway_reference, payment.status) == ("completed", returned["id"], "refunded")
    assert (returned["amount"], returned["metadata"]) == (2500, {"eventhub_refund": refund.gateway_key})
    assert payment.token == ""
    output = StringIO()
    call_command("check_integrity", stdout=output)
    assert "0 findings" in output.getvalue()


def test_what_is_asked_takes_nothing_before_our_row_knows_its_name(stripe_books: StripeStandIn) -> None:
    """RELIABILITY C5: Stripe forgets idempotency keys after a day; a name it keeps."""
    payment = a_processed_payment(token=VISA)

    assert stripe_books.requests == [
        "POST /v1/payment_intents",
        "GET /v1/payment_intents/pi_1",
        "POST /v1/payment_intents/pi_1/confirm",
    ]
    assert (payment.gateway_reference, payment.status, payment.attempts) == ("pi_1", "completed", 1)


def test_a_confirmation_token_pays_too(stripe_books: StripeStandIn) -> None:
    assert a_processed_payment(token="ctoken_visa").status == "completed"


@pytest.mark.parametrize(
    ("token", "code"), [(DECLINED, "insufficient_funds"), ("pm_of_nobody", "unknown_token"), ("", "no_payment_method")]
)
def test_a_decline_leaves_the_booking_payable(stripe_books: StripeStandIn, token: str, code: str) -> None:
    declined = a_processed_payment(token=token)

    assert (declined.status, declined.failure_code, booking_of(declined).status) == ("failed", code, "pending")

    again = a_processed_payment(booking=booking_of(declined), token=VISA)
    assert (again.status, booking_of(again).status, stripe_books.charged) == ("completed", "confirmed", 2500)


def test_what_was_declined_is_closed(stripe_books: StripeStandIn) -> None:
    """The page that holds its secret could have another card charged for it, long after we said that it failed."""
    a_processed_payment(token=DECLINED)

    assert [intent["status"] for intent in stripe_books.intents.values()] == ["canceled"]


def test_an_amount_that_stripe_refuses_fails_and_says_why(stripe_books: StripeStandIn) -> None:
    payment = a_processed_payment(price="0.30", token=VISA)

    assert (payment.status, payment.failure_code, stripe_books.intents) == ("failed", "amount_too_small", {})


# --- 3-D Secure, and banks that take their time -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approves", "status", "code", "booked"),
    [
        (True, "completed", "", "confirmed"),
        (False, "failed", "payment_intent_authentication_failure", "pending"),
    ],
)
def test_a_person_has_to_go_to_their_bank(
    stripe_books: StripeStandIn, approves: bool, status: str, code: str, booked: str
) -> None:
    payment = a_processed_payment(token=THREE_D_SECURE)
    client = APIClient()
    client.force_authenticate(payment.booking.user)

    url = stripe_books.bank
    answer = client.get(f"/api/payments/{payment.pk}/").json()
    assert (answer["status"], answer["next_action"]) == ("processing", {"type": "redirect", "url": url})
    assert payment.next_attempt_at == NOW + timedelta(minutes=1)
    (intent,) = stripe_books.intents.values()
    assert intent["next_action"]["redirect_to_url"]["return_url"].endswith(f"/bookings/{payment.booking_id}")

    (stripe_books.the_person_approves if approves else stripe_books.the_person_fails)("pi_1")
    processed(payment, NOW + timedelta(minutes=1))

    assert (payment.status, payment.failure_code, booking_of(payment).status) == (status, code, booked)
    assert payment.next_action_url == ""


def test_whoever_never_comes_back_from_the_bank_is_charged_nothing(stripe_books: StripeStandIn) -> None:
    """PAY-3"""
    payment = a_processed_payment(token=THREE_D_SECURE)

    time_out_payment(payment_id=payment.pk, now=LATER)

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code, booking_of(payment).status) == ("failed", "cancelled", "expired")
    assert (stripe_books.intents["pi_1"]["status"], stripe_books.charged) == ("canceled", 0)


def test_the_time_out_takes_an_approval_that_came_just_before_it(stripe_books: StripeStandIn) -> None:
    """PAY-3"""
    payment = a_processed_payment(token=THREE_D_SECURE)
    stripe_books.the_person_approves("pi_1")

    time_out_payment(payment_id=payment.pk, now=LATER)

    payment.refresh_from_db()
    assert (payment.status, booking_of(payment).status) == ("completed", "confirmed")


def test_a_bank_that_takes_days_is_waited_for(stripe_books: StripeStandIn) -> None:
    """PAY-5"""
    payment = a_processed_payment(token=BANK_DEBIT)
    time_out_payment(payment_id=payment.pk, now=LATER)
    payment.refresh_from_db()
    assert (payment.status, booking_of(payment).status) == ("processing", "expired")

    stripe_books.the_bank_pays("pi_1")
    processed(payment, LATER + timedelta(days=3))

    assert (payment.status, booking_of(payment).status) == ("completed", "confirmed")


# --- Lost answers, deaths and days in between -------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop", "500", "429"])
@pytest.mark.parametrize(
    "at", ["POST /payment_intents", "GET /payment_intents/pi_1", "POST /confirm"], ids=["begin", "look", "confirm"]
)
def test_a_failure_on_the_way_is_tried_again_and_charged_once(stripe_books: StripeStandIn, at: str, fault: str) -> None:
    """RELIABILITY C5"""
    stripe_books.fails_at(at, fault)
    payment = a_processed_payment(token=VISA)
    assert payment.status == "processing"
    assert payment.next_attempt_at == NOW + timedelta(seconds=20)
    assert payment.last_error

    processed(payment, NOW + timedelta(seconds=20))

    assert (payment.status, stripe_books.charged) == ("completed", 2500)
    assert [intent["status"] for intent in stripe_books.intents.values()] == ["succeeded"]


@pytest.mark.parametrize("step", ["_begin", "_confirm"])
@pytest.mark.parametrize("pause", [timedelta(minutes=2), timedelta(days=2)])
def test_a_worker_that_dies_before_it_records_charges_once(
    stripe_books: StripeStandIn, monkeypatch: pytest.MonkeyPatch, step: str, pause: timedelta
) -> None:
    """RELIABILITY C5: also when Stripe has forgotten the key meanwhile."""
    payment = a_payment(token=VISA)
    taken = getattr(StripeGateway, step)

    def take_and_die(desk: StripeGateway, order: Any) -> None:
        taken(desk, order)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(StripeGateway, step, take_and_die)
        with pytest.raises(KilledError):
            process_payment(payment_id=payment.pk, now=NOW)
    if pause > timedelta(days=1):
        stripe_books.a_day_passes()
    processed(payment, NOW + pause)

    assert (payment.status, stripe_books.charged) == ("completed", 2500)


def test_an_answer_that_comes_too_late_is_not_waited_for(
    stripe_books: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RELIABILITY C5: the charge is made after we stopped listening."""
    monkeypatch.setattr("payments.gateways.stripe.TIMEOUT", (1.0, 0.3))
    stripe_books.fails_at("POST /confirm", "slow")
    payment = a_processed_payment(token=VISA)
    assert (payment.status, payment.last_error[:18]) == ("processing", "APIConnectionError")
    stripe_books.wait_until(lambda: stripe_books.charged == 2500)

    processed(payment, NOW + timedelta(seconds=20))

    assert (payment.status, stripe_books.requests.count("POST /v1/payment_intents/pi_1/confirm")) == ("completed", 1)


def test_a_page_of_a_bank_may_have_a_long_address(stripe_books: StripeStandIn) -> None:
    stripe_books.bank = "https://hooks.stripe.com/3d_secure_2/hosted?source=" + "a" * 1900

    payment = a_processed_payment(token=THREE_D_SECURE)

    assert payment.next_action_url == stripe_books.bank


def test_a_key_of_another_account_fails_nothing(stripe_books: StripeStandIn, settings: Settings) -> None:
    """Money may have moved: it waits for a person."""
    payment = a_processed_payment(token=THREE_D_SECURE)
    stripe_books.intents.clear()

    processed(payment, NOW + timedelta(minutes=1))

    assert payment.status == "processing"
    assert payment.last_error.startswith("Stripe does not know pi_1.")


def test_a_key_that_stripe_does_not_take_fails_nothing(stripe_books: StripeStandIn, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    gateway.cache_clear()

    payment = a_processed_payment(token=VISA)

    assert (payment.status, payment.last_error) == (
        "processing",
        "AuthenticationError: Invalid API Key provided: sk_test_***",
    )


def test_without_a_key_nothing_is_asked(stripe_books: StripeStandIn, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    gateway.cache_clear()

    payment = a_processed_payment(token=VISA)

    assert (payment.status, payment.last_error) == ("processing", "STRIPE_SECRET_KEY is not set.")
    assert stripe_books.requests == []


# --- Refunds ----------------------------------------------------------------------------------------------------------


def test_parts_go_back_one_by_one(stripe_books: StripeStandIn) -> None:
    payment = a_processed_payment(token=VISA)

    refunds = [sent(owed(payment, amount)) for amount in ("10.00", "10.00", "4.99", "0.01")]

    payment.refresh_from_db()
    assert [refund.status for refund in refunds] == ["completed"] * 4
    assert (payment.status, payment.refunded_amount) == ("refunded", 25)
    assert [it["amount"] for it in stripe_books.refunds.values()] == [1000, 1000, 499, 1]


@pytest.mark.parametrize("fault", ["drop", "500", "429"])
@pytest.mark.parametrize("pause", [timedelta(minutes=2), timedelta(days=2)])
def test_a_lost_answer_gives_nothing_back_twice(stripe_books: StripeStandIn, fault: str, pause: timedelta) -> None:
    """RELIABILITY C4, C5: two others are newer, so that ours is on the second page."""
    payment = a_processed_payment(token=VISA)
    refund = owed(payment, "5.00")
    stripe_books.fails_at("POST /refunds", fault)
    sent(refund)
    others = [sent(owed(payment, "5.00")) for _ in range(2)]
    assert (refund.status, [other.status for other in others]) == ("processing", ["completed"] * 2)
    if pause > timedelta(days=1):
        stripe_books.a_day_passes()

    sent(refund, NOW + pause)

    payment.refresh_from_db()
    assert (refund.status, payment.refunded_amount) == ("completed", 15)
    assert [it["amount"] for it in stripe_books.refunds.values()] == [500] * 3


@pytest.mark.parametrize(
    ("well", "status", "code"), [(True, "completed", ""), (False, "failed", "expired_or_canceled_card")]
)
def test_a_refund_may_take_days(stripe_books: StripeStandIn, well: bool, status: str, code: str) -> None:
    payment = a_processed_payment(token=REFUND_PENDS)
    refund = sent(owed(payment, 25))
    assert (refund.status, refund.next_attempt_at) == ("processing", NOW + timedelta(hours=1))

    stripe_books.the_refund_ends("re_1", well=well)
    sent(refund, NOW + timedelta(days=2))

    payment.refresh_from_db()
    assert (refund.status, refund.failure_code) == (status, code)
    assert payment.status == ("refunded" if well else "completed")
    assert (refund.parked_at is None) is well


def test_what_stripe_refuses_to_give_back_is_shown(stripe_books: StripeStandIn) -> None:
    """Somebody gave it back in Stripe's dashboard, say."""
    payment = a_processed_payment(token=VISA)
    elsewhere = {"payment_intent": "pi_1", "amount": "2500"}
    stripe_books.answer("POST", "/v1/refunds", elsewhere, "")

    refund = sent(owed(payment, "1.00"))

    assert (refund.status, refund.failure_code) == ("failed", "charge_already_refunded")
    assert refund.parked_at == NOW


# --- Currencies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "price", "units"),
    [
        ("EUR", "12.34", 1234),
        ("JPY", "1250", 1250),
        ("KWD", "5.120", 5120),
        ("ISK", "500", 50000),
        ("UGX", "5000", 500000),
        ("RSD", "700", 70000),  # no decimals with us, two with Stripe
        ("MGA", "9000", 9000),
    ],
)
def test_amounts_are_written_as_stripe_reads_them(
    stripe_books: StripeStandIn, currency: str, price: str, units: int
) -> None:
    payment = a_processed_payment(price=price, currency=currency, token=VISA)
    refund = sent(owed(payment, price))

    payment.refresh_from_db()
    (intent,) = stripe_books.intents.values()
    assert (intent["amount"], intent["currency"]) == (units, currency.lower())
    assert (payment.status, payment.failure_code, payment.amount) == ("refunded", "", Decimal(price))
    assert (refund.status, stripe_books.refunds["re_1"]["amount"]) == ("completed", units)


@pytest.mark.parametrize(("currency", "price"), [("KWD", "5.124"), ("LYD", "1.005")])
def test_what_stripe_cannot_take_exactly_it_does_not_take(
    stripe_books: StripeStandIn, currency: str, price: str
) -> None:
    payment = a_processed_payment(price=price, currency=currency, token=VISA)

    assert (payment.status, payment.failure_code) == ("failed", "unsupported_amount")
    assert stripe_books.requests == []


# --- Both gateways ----------------------------------------------------------------------------------------------------


def test_a_payment_ends_where_it_began(stripe_books: StripeStandIn, settings: Settings) -> None:
    at_stripe = a_payment(token=VISA)
    settings.PAYMENT_GATEWAY = "mock"
    at_mock = a_payment(token="tok_success")
    settings.PAYMENT_GATEWAY = "stripe"

    for payment in (at_stripe, at_mock):
        processed(payment)
        sent(owed(payment, 25))

    assert (at_stripe.status, at_mock.status) == ("completed", "completed")
    assert (len(stripe_books.intents), len(stripe_books.refunds)) == (1, 1)
    assert sorted(MockGatewayEntry.objects.values_list("kind", flat=True)) == ["charge", "refund"]


def test_stripe_s_library_is_loaded_by_nobody_else() -> None:
    """It takes a tenth of a second and 5 MB, which every process would pay for."""
    code = (
        "import django, sys; django.setup(); import eventhub_config.urls, eventhub_config.celery, payments.tasks;"
        "from payments.gateway import gateway; gateway('mock'); print('stripe' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_nothing_is_told_to_stripe_besides(stripe_books: StripeStandIn) -> None:
    a_processed_payment(token=VISA)

    assert not [name for sent in stripe_books.headers for name in sent if "telemetry" in name.lower()]
    assert "telemetry_id" not in str(stripe_books.headers)
    assert "platform" not in stripe_books.headers[-1]["X-Stripe-Client-User-Agent"]


def test_front_ends_are_told_the_publishable_key_of_the_gateway_in_use(settings: Settings) -> None:
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_1"
    told = []
    for name in ("stripe", "mock"):
        settings.PAYMENT_GATEWAY = name
        told.append(APIClient().get("/api/meta/").json()["payments"])

    assert told == [
        {"gateway": "stripe", "publishable_key": "pk_test_1"},
        {"gateway": "mock", "publishable_key": ""},
    ]


def test_the_stand_in_answers_a_repeat_as_stripe_does() -> None:
    """Else a test that leans on it would prove nothing."""
    with stripe_stand_in() as books:

        def create(key: str, amount: int) -> requests.Response:
            headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": key}
            data = {"amount": amount, "currency": "eur"}
            return requests.post(f"{books.address}/v1/payment_intents", data=data, headers=headers, timeout=5)

        books.fails_at("POST /payment_intents", "500")
        answers = [create("a", 100), create("a", 100), create("b", 100), create("b", 100), create("b", 200)]

    assert [answer.status_code for answer in answers] == [500, 500, 200, 200, 400]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true", None, "true", None]
    assert answers[2].json()["id"] == answers[3].json()["id"] == "pi_1"
    assert answers[4].json()["error"]["type"] == "idempotency_error"
