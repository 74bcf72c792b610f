"""What a gateway told is found out at the gateway, and recorded once: whatever the order, repetition or contents."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.tests.factories import NOW
from payments.gateway import GatewayUnavailableError, gateway
from payments.gateways.mock import MockGateway
from payments.models import GatewayCallback, InvoiceRequest, MockGatewayEntry, MockGatewayMessage, Payment, Refund
from payments.services import calling_back, process_callback, process_payment, send_refund
from payments.services.charging import order_of
from payments.services.mock_gateway import decide, settle_due
from payments.tests.callbacks import a_body, hand_over, post
from payments.tests.factories import a_paid_booking, a_payment, a_processed_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture(autouse=True)
def _callbacks(settings: Any) -> None:
    """The mock gateway writes what it has to tell; the tests hand it over."""
    settings.MOCK_GATEWAY_CALLBACK_URL = "http://localhost:8000/api/payments/callbacks/mock/"


def work_off(now: Any = NOW) -> list[str]:
    """Work on every callback, as the workers would; return what came of all that there are."""
    for callback in GatewayCallback.objects.filter(processed_at=None).order_by("pk"):
        process_callback(callback_id=callback.pk, now=now)
    return list(GatewayCallback.objects.order_by("pk").values_list("result", flat=True))


def charged(payment: Payment) -> None:
    """Have the gateway take the money without our hearing of it: the worker died in between."""
    gateway("mock").charge(order_of(Payment.objects.select_related("booking").get(pk=payment.pk)))


def test_a_callback_completes_what_its_worker_could_not_record() -> None:
    """PAY-2, RELIABILITY C5"""
    payment = a_payment()
    charged(payment)

    assert hand_over() == [200]
    assert work_off() == ["applied"]

    payment.refresh_from_db()
    callback = GatewayCallback.objects.get()
    assert (payment.status, Booking.objects.get().status) == ("completed", "confirmed")
    assert (callback.processed_at, callback.next_attempt_at, callback.claimed_until) == (NOW, None, None)
    process_payment(payment_id=payment.pk, now=NOW)
    assert MockGatewayEntry.objects.count() == InvoiceRequest.objects.count() == 1


def test_a_callback_after_our_own_record_changes_nothing() -> None:
    """RELIABILITY C3"""
    payment = a_processed_payment()
    changed_at = payment.status_changed_at

    hand_over()

    assert work_off(NOW + timedelta(minutes=1)) == ["no_change"]
    payment.refresh_from_db()
    assert (payment.status, payment.status_changed_at) == ("completed", changed_at)
    assert InvoiceRequest.objects.count() == 1


def test_a_callback_that_comes_three_times_is_worked_on_once() -> None:
    """PAY-2, RELIABILITY C3"""
    payment = a_payment(token="tok_duplicate_callback")
    charged(payment)
    assert MockGatewayMessage.objects.count() == 3

    assert hand_over() == [200, 200, 200]

    assert work_off() == ["applied"]
    assert InvoiceRequest.objects.count() == 1


def test_callbacks_in_the_wrong_order_end_as_the_last_word() -> None:
    """PAY-2, RELIABILITY C3: an earlier failure that is told later fails nothing."""
    payment = a_payment(token="tok_out_of_order")
    charged(payment)
    told = [message.body for message in MockGatewayMessage.objects.order_by("pk")]
    assert ['"charge.succeeded"' in told[0], '"charge.failed"' in told[1], '"charge.pending"' in told[2]] == [True] * 3

    hand_over()

    assert work_off() == ["applied", "no_change", "no_change"]
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("completed", "")


def test_what_a_callback_says_is_not_believed() -> None:
    """The gateway's own books decide: one that says success of a decline, or the other way round, changes nothing."""
    declined, paid = a_processed_payment(token="tok_decline"), a_processed_payment()
    GatewayCallback.objects.all().delete()

    for number, (payment, said) in enumerate([(declined, "charge.succeeded"), (paid, "charge.failed")]):
        post(a_body(payment, event_id=f"forged_{number}", type_=said))

    assert work_off() == ["no_change", "no_change"]
    declined.refresh_from_db()
    paid.refresh_from_db()
    assert (declined.status, paid.status) == ("failed", "completed")


def test_a_callback_about_nothing_of_ours_is_said_to_be_so() -> None:
    post(a_body(event_id="evt_1"))
    post(a_body(event_id="evt_2", type_="refund.succeeded"))

    assert work_off() == ["unknown", "unknown"]


def test_a_callback_about_what_the_gateway_does_not_know_changes_nothing() -> None:
    payment = a_payment()
    post(a_body(payment))

    assert work_off() == ["no_change"]
    payment.refresh_from_db()
    assert (payment.status, MockGatewayEntry.objects.count()) == ("pending", 0)


def test_a_callback_of_another_gateway_does_not_reach_the_payment() -> None:
    payment = a_payment()
    charged(payment)
    Payment.objects.filter(pk=payment.pk).update(gateway="stripe")
    hand_over()

    assert work_off() == ["unknown"]


def test_pending_shows_where_the_person_has_to_go() -> None:
    """PAY-1: a front end that was told nothing yet finds it by reading the payment."""
    payment = a_payment(token="tok_action_required")
    charged(payment)
    hand_over()

    assert work_off() == ["applied"]

    payment.refresh_from_db()
    assert payment.status == "pending"
    assert payment.next_action_url.endswith(f"/mock-gateway/{payment.gateway_reference}/")


def test_a_late_success_is_told_when_it_happens() -> None:
    payment = a_processed_payment(token="tok_late_success:60")
    hand_over()
    assert work_off() == ["no_change"]
    later = NOW + timedelta(seconds=60)

    with time_machine.travel(later, tick=False):
        settle_due(later)
        MockGatewayMessage.objects.filter(body__contains="pending").delete()
        assert hand_over() == [200]
        assert work_off(later) == ["no_change", "applied"]

    payment.refresh_from_db()
    assert (payment.status, payment.completed_at) == ("completed", later)


def test_a_refund_that_was_pending_is_completed_by_its_callback() -> None:
    """PAY-5"""
    booking = a_paid_booking(token="tok_refund_pending:60")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    send_refund(refund_id=Refund.objects.get().pk, now=NOW)
    MockGatewayMessage.objects.all().delete()
    later = NOW + timedelta(seconds=60)

    with time_machine.travel(later, tick=False):
        settle_due(later)
        hand_over()
        assert work_off(later) == ["applied"]

    assert (Refund.objects.get().status, Payment.objects.get().status) == ("completed", "refunded")


def test_a_gateway_that_cannot_be_asked_is_asked_later(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = a_payment()
    charged(payment)
    hand_over()

    def away(*_: Any) -> None:
        raise GatewayUnavailableError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(MockGateway, "find_charge", away)
        assert work_off() == [""]
    callback = GatewayCallback.objects.get()
    assert (callback.attempts, callback.last_error) == (1, "no answer")
    assert callback.next_attempt_at == NOW + timedelta(seconds=20)

    assert work_off(NOW + timedelta(seconds=19)) == [""]
    assert work_off(NOW + timedelta(seconds=20)) == ["applied"]


def test_a_callback_is_given_up_in_the_end_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    post(a_body(a_payment()))

    def away(*_: Any) -> None:
        raise GatewayUnavailableError("no answer")

    monkeypatch.setattr(MockGateway, "find_charge", away)
    for hour in range(GatewayCallback.MAX_ATTEMPTS + 2):
        work_off(NOW + hour * timedelta(hours=1))

    callback = GatewayCallback.objects.get()
    assert (callback.attempts, callback.parked_at) == (8, NOW + timedelta(hours=7))
    assert (callback.processed_at, callback.last_error) == (None, "no answer")


def test_a_worker_that_dies_leaves_a_claim_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELIABILITY C5: effect and result are one transaction, so a death between them undoes both."""
    payment = a_payment()
    charged(payment)
    hand_over()

    class KilledError(BaseException):
        pass

    def die(**_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(calling_back, "_finish", die)
        with pytest.raises(KilledError):
            work_off()
    payment.refresh_from_db()
    assert (payment.status, GatewayCallback.objects.get().processed_at) == ("pending", None)

    assert work_off(NOW + timedelta(seconds=74)) == [""]
    assert work_off(NOW + timedelta(seconds=75)) == ["applied"]
    payment.refresh_from_db()
    assert payment.status == "completed"


# --- Where the gateway and we do not agree ----------------------------------------------------------------------------


def parked(said: str) -> bool:
    callback = GatewayCallback.objects.latest("pk")
    return callback.parked_at == NOW and callback.processed_at is None and said in callback.last_error


def test_a_refund_that_fails_after_it_was_completed_is_left_to_a_person() -> None:
    booking = a_paid_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()
    send_refund(refund_id=refund.pk, now=NOW)
    MockGatewayEntry.objects.filter(kind="refund").update(succeeded=False, failure_code="account_closed")
    body = a_body(event_id="evt_late", type_="refund.failed").replace(b"nobody's", refund.gateway_key.encode())

    post(body)
    work_off()

    assert parked("is completed; its gateway did not give it back (account_closed)")
    assert (Refund.objects.get().status, Payment.objects.get().status) == ("completed", "refunded")


def test_a_charge_that_fails_after_it_was_completed_is_left_to_a_person() -> None:
    payment = a_processed_payment()
    MockGatewayEntry.objects.update(succeeded=False, failure_code="reversed")

    post(a_body(payment, type_="charge.failed"))
    work_off()

    assert parked("is completed; its gateway took no money (reversed)")
    assert (Payment.objects.get().status, Booking.objects.get().status) == ("completed", "confirmed")


def test_money_for_a_cancelled_payment_is_left_to_a_person() -> None:
    """It never happens: what was cancelled never reached the gateway. If it does, nobody may overlook the money."""
    payment = a_payment()
    charged(payment)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=NOW)

    hand_over()
    work_off()

    assert parked("is cancelled; its gateway took money")


def test_a_refund_that_was_given_back_by_hand_may_stay_failed_at_the_gateway() -> None:
    booking = a_paid_booking(token="tok_refund_fails")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()
    send_refund(refund_id=refund.pk, now=NOW)
    Refund.objects.filter(pk=refund.pk).update(status="completed", by_hand_note="In cash")
    MockGatewayMessage.objects.filter(body__contains="charge.").delete()

    hand_over()

    assert work_off() == ["no_change"]


def test_news_of_an_earlier_try_of_a_refund_do_not_end_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refund that is tried again has a new key, and what became of the old one is about the old one."""
    booking = a_paid_booking(token="tok_refund_fails")
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()
    send_refund(refund_id=refund.pk, now=NOW)
    MockGatewayMessage.objects.filter(body__contains="charge.").delete()
    hand_over()
    find = MockGateway.find_refund

    def find_while_a_person_tries_again(desk: MockGateway, order: Any) -> Any:
        found = find(desk, order)
        Refund.objects.filter(pk=refund.pk).update(status="processing", gateway_key="another")
        return found

    monkeypatch.setattr(MockGateway, "find_refund", find_while_a_person_tries_again)

    assert work_off() == ["no_change"]
    assert Refund.objects.get().status == "processing"


# --- What the mock gateway has to tell --------------------------------------------------------------------------------


def test_nothing_is_told_where_nobody_listens(settings: Any) -> None:
    settings.MOCK_GATEWAY_CALLBACK_URL = ""

    a_processed_payment(token="tok_duplicate_callback")

    assert MockGatewayMessage.objects.count() == 0


def test_each_change_is_told_once() -> None:
    payment = a_processed_payment(token="tok_action_required")
    entry = MockGatewayEntry.objects.get()

    assert decide(entry_id=entry.pk, succeeded=True, now=NOW)
    assert not decide(entry_id=entry.pk, succeeded=False, failure_code="late", now=NOW)
    process_payment(payment_id=payment.pk, now=NOW + timedelta(minutes=1))

    types = [message.body.split('"')[7] for message in MockGatewayMessage.objects.order_by("pk")]
    assert types == ["charge.pending", "charge.succeeded"]


def test_a_message_tells_no_more_than_the_contract() -> None:
    booking = a_booking(price=1250, currency="JPY")
    payment = a_processed_payment(booking=booking, token="tok_decline")

    message = MockGatewayMessage.objects.get()
    assert json.loads(message.body) == {
        "id": message.event_id,
        "type": "charge.failed",
        "created": int(NOW.timestamp()),
        "data": {
            "key": payment.gateway_key,
            "reference": payment.gateway_reference,
            "amount": "1250",
            "currency": "JPY",
            "status": "failed",
            "failure_code": "card_declined",
        },
    }
