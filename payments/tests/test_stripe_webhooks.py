"""What Stripe tells by itself: believed if it is signed and fresh, and then only as a reason to ask."""

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Booking
from eventhub_config.shared.models import StatusChange
from events.tests.factories import NOW
from payments.gateway import ChargeOrder, Outcome, gateway
from payments.gateways.stripe import StripeGateway
from payments.models import GatewayCallback, Payment, Refund
from payments.services import process_callback, request_refund, send_refund
from payments.tests.factories import a_processed_payment
from payments.tests.stripe_stand_in import (
    REFUND_PENDS,
    THREE_D_SECURE,
    VISA,
    StripeStandIn,
    signature,
    signed,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
ADDRESS = "/api/payments/callbacks/stripe/"


def tell(body: bytes, signed_with: str | None) -> Any:
    headers = {} if signed_with is None else {"Stripe-Signature": signed_with}
    return APIClient().post(ADDRESS, data=body, content_type="application/json", headers=headers)


def work_off(now: datetime = NOW) -> None:
    for callback in GatewayCallback.objects.filter(processed_at=None).order_by("pk"):
        process_callback(callback_id=callback.pk, now=now)


def an_event(books: StripeStandIn, **changes: Any) -> dict[str, Any]:
    """Return what Stripe tells of a charge that succeeded."""
    return books.events[-1] | {"id": "evt_made_up"} | changes


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_webhook_wakes_what_polling_would_have_found(stripe_books: StripeStandIn) -> None:
    payment = a_processed_payment(token=THREE_D_SECURE)
    stripe_books.the_person_approves("pi_1")

    answer = tell(*signed(stripe_books.events[-1]))
    work_off()

    payment.refresh_from_db()
    (kept,) = GatewayCallback.objects.all()
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert (kept.type, kept.subject, kept.result) == ("payment_intent.succeeded", "charge", "applied")
    assert (payment.status, Booking.objects.get().status) == ("completed", "confirmed")


def test_neither_order_nor_repetition_matter(stripe_books: StripeStandIn) -> None:
    """RELIABILITY C3, E3"""
    payment = a_processed_payment(token=REFUND_PENDS)
    refund = request_refund(payment=payment, amount=Decimal(25), reason="Storm", actor=payment.booking.user, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)
    stripe_books.the_refund_ends("re_1", well=True)

    for event in reversed(stripe_books.events * 3):
        assert tell(*signed(event)).status_code == 200
        work_off()

    payment.refresh_from_db()
    refund.refresh_from_db()
    assert (payment.status, payment.refunded_amount, refund.status) == ("refunded", 25, "completed")
    assert GatewayCallback.objects.count() == len(stripe_books.events)
    assert sorted(GatewayCallback.objects.values_list("type", "result")) == [
        ("payment_intent.created", "ignored"),
        ("payment_intent.succeeded", "no_change"),
        ("refund.created", "no_change"),
        ("refund.updated", "applied"),
    ]


def test_a_lie_that_is_signed_moves_nothing(stripe_books: StripeStandIn) -> None:
    """The secret of webhooks may leak; the books of the account do not."""
    payment = a_processed_payment(token=THREE_D_SECURE)
    about = stripe_books.events[-1]["data"]["object"] | {"status": "succeeded", "amount_received": 2500}

    tell(*signed(an_event(stripe_books, type="payment_intent.succeeded", data={"object": about})))
    work_off()

    payment.refresh_from_db()
    assert (payment.status, GatewayCallback.objects.get().result) == ("processing", "no_change")


def test_a_refund_that_fails_after_all_is_shown_to_a_person(stripe_books: StripeStandIn) -> None:
    payment = a_processed_payment(token=VISA)
    refund = request_refund(payment=payment, amount=Decimal(5), reason="Storm", actor=payment.booking.user, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)
    stripe_books.the_refund_ends("re_1", well=False)

    tell(*signed(stripe_books.events[-1]))
    work_off()

    (kept,) = GatewayCallback.objects.all()
    assert (kept.type, kept.processed_at, kept.parked_at) == ("refund.failed", None, NOW)
    assert "did not give it back (expired_or_canceled_card)" in kept.last_error
    assert Refund.objects.get().status == "completed"


def test_a_webhook_may_be_faster_than_our_own_record(
    stripe_books: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RELIABILITY C3: it comes while the worker still waits for its answer."""
    confirm = StripeGateway._confirm

    def confirm_and_be_told(desk: StripeGateway, order: ChargeOrder) -> Outcome:
        outcome = confirm(desk, order)
        tell(*signed(stripe_books.events[-1]))
        work_off()
        assert Payment.objects.get().status == "completed"
        return outcome

    monkeypatch.setattr(StripeGateway, "_confirm", confirm_and_be_told)
    payment = a_processed_payment(token=VISA)

    assert (payment.status, payment.attempts) == ("completed", 1)
    assert StatusChange.objects.filter(to_status="completed").count() == 1


# --- Who may tell -----------------------------------------------------------------------------------------------------


def unsigned(body: bytes) -> None:
    return None


def empty(body: bytes) -> str:
    return ""


def by_a_stranger(body: bytes) -> str:
    return signature(body, secret="whsec_of_a_stranger")


def of_another_body(body: bytes) -> str:
    return signature(body.replace(b"evt_made_up", b"evt_made_uq"))


def of_another_scheme(body: bytes) -> str:
    return signature(body).replace("v1=", "v0=")


def without_a_moment(body: bytes) -> str:
    return signature(body).partition(",")[2]


def of_no_moment(body: bytes) -> str:
    return signature(body).replace("t=", "t=x")


def in_other_letters(body: bytes) -> str:
    return signature(body) + "é"


def too_old(body: bytes) -> str:
    return signature(body, at=time.time() - 301)


def of_the_future(body: bytes) -> str:
    return signature(body, at=time.time() + 301)


@pytest.mark.parametrize(
    "sign",
    [
        unsigned, empty, by_a_stranger, of_another_body, of_another_scheme, without_a_moment, of_no_moment,
        in_other_letters, too_old, of_the_future,
    ],
)  # fmt: skip
def test_what_stripe_did_not_sign_just_now_is_refused(stripe_books: StripeStandIn, sign: Any) -> None:
    """PAY-2, RELIABILITY E3"""
    a_processed_payment(token=VISA)
    body, _ = signed(an_event(stripe_books))

    answer = tell(body, sign(body))

    assert refusal(answer) == (400, "invalid_signature")
    assert GatewayCallback.objects.count() == 0


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_clocks_may_differ_by_five_minutes(stripe_books: StripeStandIn, seconds: int) -> None:
    a_processed_payment(token=VISA)

    assert tell(*signed(an_event(stripe_books), at=time.time() + seconds)).status_code == 200


def test_a_secret_that_is_being_changed_signs_twice(stripe_books: StripeStandIn) -> None:
    a_processed_payment(token=VISA)
    body, ours = signed(an_event(stripe_books))
    theirs = signature(body, secret="whsec_new").partition(",")[2]

    assert tell(body, f"{ours},{theirs}").status_code == 200


def test_a_moment_that_says_more_than_itself_is_no_error(stripe_books: StripeStandIn) -> None:
    """Stripe's library reads it up to the second `=`."""
    a_processed_payment(token=VISA)
    body, ours = signed(an_event(stripe_books))

    assert tell(body, ours.replace(",", "=x,", 1)).status_code == 200


def test_where_stripe_is_not_set_up_there_is_nothing(stripe_books: StripeStandIn, settings: Settings) -> None:
    a_processed_payment(token=VISA)
    settings.STRIPE_WEBHOOK_SECRET = ""
    gateway.cache_clear()
    body, _ = signed(an_event(stripe_books))

    assert refusal(tell(body, signature(body, secret=""))) == (404, "not_found")


# --- What may be told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"evt"',
        b"{",
        b"{}",
        b"\xff\xfe",
        b'{"id": NaN}',
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"id": "evt", "type": "payment_intent.succeeded", "livemode": false}',
        b'{"id": "evt", "type": "payment_intent.succeeded", "livemode": false, "data": []}',
        b'{"id": "evt", "type": "payment_intent.succeeded", "livemode": false, "data": {"object": null}}',
        b'{"id": "evt", "type": "payment_intent.succeeded", "livemode": false, "data": {"object": {"metadata": [1]}}}',
        b'{"id": "evt", "type": {"a": 1}, "livemode": false, "data": {"object": {}}}',
        b'{"id": 7, "type": "payment_intent.succeeded", "livemode": false, "data": {"object": {}}}',
        b'{"id": "", "type": "payment_intent.succeeded", "livemode": false, "data": {"object": {}}}',
        b'{"id": "a\\u0000b", "type": "payment_intent.succeeded", "livemode": false, "data": {"object": {}}}',
        b'{"id": "evt", "type": "\\ud800", "livemode": false, "data": {"object": {}}}',
        b'{"id": "%s", "type": "x", "livemode": false, "data": {"object": {}}}' % (b"e" * 121),
        b'{"id": "evt", "type": "%s", "livemode": false, "data": {"object": {}}}' % (b"t" * 81),
        b'{"id": "evt", "type": "x", "data": {"object": {}}}',
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)
def test_what_makes_no_sense_is_refused_though_it_is_signed(stripe_books: StripeStandIn, body: bytes) -> None:
    """RELIABILITY E3"""
    expected = "invalid_signature" if body == b"\xff\xfe" else "invalid_callback"

    assert refusal(tell(body, signature(body))) == (400, expected)
    assert GatewayCallback.objects.count() == 0


def test_an_event_of_live_mode_is_not_one_of_test_mode(stripe_books: StripeStandIn) -> None:
    a_processed_payment(token=VISA)

    assert refusal(tell(*signed(an_event(stripe_books, livemode=True)))) == (400, "invalid_callback")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "customer.created"},
        {"data": {"object": {"object": "payment_intent", "id": "pi_9", "metadata": {}}}},
        {"data": {"object": {"object": "payment_intent", "id": "pi_9", "metadata": {"eventhub_payment": 7}}}},
        {"data": {"object": {"object": "payment_intent", "id": "pi_9", "metadata": {"eventhub_payment": "k" * 65}}}},
        {"data": {"object": {"object": "payment_intent", "id": "pi_9"}}},
    ],
)
def test_what_is_about_nothing_of_ours_is_taken_and_left(stripe_books: StripeStandIn, changes: dict[str, Any]) -> None:
    """Else Stripe would come again for days, and switch the endpoint off at last."""
    a_processed_payment(token=VISA)

    assert tell(*signed(an_event(stripe_books, **changes))).status_code == 200
    assert GatewayCallback.objects.get().result == "ignored"


def test_of_its_contents_only_names_are_kept(stripe_books: StripeStandIn) -> None:
    a_processed_payment(token=VISA)
    event = an_event(stripe_books)
    event["data"]["object"]["receipt_email"] = "ada@example.org"

    tell(*signed(event))

    kept = GatewayCallback.objects.get()
    assert kept.payload == {"object": "payment_intent", "id": "pi_1", "status": "succeeded"}
    assert kept.key == Payment.objects.get().gateway_key
