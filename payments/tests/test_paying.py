"""From a held booking to a paid one: through the API, the worker's service and the mock gateway."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking, confirm_by_hand, expire_booking
from bookings.tests.factories import a_booking
from events.models import Event
from events.services import cancel_event
from events.tests.factories import NOW, an_event
from payments.gateway import ChargeOrder, GatewayUnavailableError, Outcome, State
from payments.gateways.mock import MockGateway
from payments.models import Invoice, InvoiceRequest, MockGatewayEntry, Payment, Refund
from payments.services import (
    issue_invoice,
    process_payment,
    record_charge,
    send_refund,
    start_payment,
    time_out_payment,
)
from payments.services.charging import order_of
from payments.tests.factories import a_paid_booking, a_payment, a_processed_payment
from users.models import CustomUser, OrganizerProfile
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def pay(user: CustomUser, booking: Booking, **body: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.post("/api/payments/", {"booking": booking.pk, **body})


def work_off(now: Any = NOW) -> None:
    """Do what the workers would do with everything that is owed."""
    for refund in Refund.objects.filter(Refund.due(now)).order_by("pk"):
        send_refund(refund_id=refund.pk, now=now)
    for request in InvoiceRequest.objects.filter(InvoiceRequest.due(now), invoice=None).order_by("pk"):
        issue_invoice(request_id=request.pk, now=now)


def test_asking_to_pay_answers_at_once() -> None:
    """PAY-1"""
    booking = a_booking(price="25.00")

    response = pay(booking.user, booking, token="tok_success")

    body = response.json()
    assert response.status_code == 202
    assert (body["status"], body["amount"], body["currency"], body["gateway"]) == ("pending", "25.00", "EUR", "mock")
    assert MockGatewayEntry.objects.count() == 0


def test_a_success_confirms_the_booking_and_owes_an_invoice() -> None:
    """PAY-1, PAY-4"""
    payment = a_processed_payment()

    booking = Booking.objects.get(pk=payment.booking_id)
    assert (payment.status, payment.completed_at, payment.next_attempt_at) == ("completed", NOW, None)
    assert (booking.status, booking.confirmed_at, booking.expires_at) == ("confirmed", NOW, None)
    assert InvoiceRequest.objects.get(payment=payment).kind == "invoice"
    assert MockGatewayEntry.objects.get(key=payment.gateway_key).amount == payment.amount


def test_a_decline_leaves_the_booking_payable() -> None:
    """PAY-1, RELIABILITY C8"""
    declined = a_processed_payment(token="tok_decline")

    booking = Booking.objects.get(pk=declined.booking_id)
    assert (declined.status, declined.failure_code, booking.status) == ("failed", "card_declined", "pending")

    again = a_processed_payment(booking=booking)
    booking.refresh_from_db()
    assert (again.status, booking.status) == ("completed", "confirmed")


def test_a_lost_answer_is_asked_for_again_and_charged_once() -> None:
    """RELIABILITY C5"""
    payment = a_processed_payment(token="tok_timeout")
    assert (payment.status, payment.attempts) == ("processing", 1)
    assert payment.next_attempt_at == NOW + timedelta(seconds=20)

    process_payment(payment_id=payment.pk, now=NOW + timedelta(seconds=19))
    payment.refresh_from_db()
    assert payment.status == "processing"

    Payment.objects.filter(pk=payment.pk).update(token="")  # the gateway remembers by the key alone
    process_payment(payment_id=payment.pk, now=NOW + timedelta(seconds=20))
    payment.refresh_from_db()
    assert payment.status == "completed"
    assert MockGatewayEntry.objects.count() == 1


def test_the_amount_is_the_bookings_whatever_the_client_says() -> None:
    """RELIABILITY C6"""
    booking = a_booking(price=25)

    body = pay(booking.user, booking, amount="0.01", currency="JPY", status="completed").json()

    assert (body["amount"], body["currency"], body["status"]) == ("25.00", "EUR", "pending")


def test_a_free_booking_has_nothing_to_pay() -> None:
    """RELIABILITY C9"""
    booking = a_booking()

    assert (pay(booking.user, booking).status_code, Payment.objects.count()) == (409, 0)
    assert pay(booking.user, booking).json()["code"] == "nothing_to_pay"


def test_one_open_payment_at_a_time() -> None:
    payment = a_payment()

    response = pay(payment.booking.user, payment.booking)

    assert (response.status_code, response.json()["code"]) == (409, "payment_in_progress")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(("state", "code"), [("cancelled", "booking_not_payable"), ("expired", "hold_expired")])
def test_a_closed_booking_cannot_be_paid(state: str, code: str) -> None:
    booking = a_booking(price=5)
    Booking.objects.filter(pk=booking.pk).update(status=state)

    response = pay(booking.user, booking)

    assert (response.status_code, response.json()["code"], Payment.objects.count()) == (409, code, 0)


def test_nothing_is_paid_for_a_cancelled_event() -> None:
    """Its bookings are closed one by one; until then they are not payable either."""
    booking = a_booking(price=5)
    Event.objects.filter(pk=booking.event_id).update(status="cancelled")

    response = pay(booking.user, booking)

    assert (response.status_code, response.json()["code"]) == (409, "booking_not_payable")
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(("seconds", "status"), [(-1, 202), (0, 409)])
def test_paying_is_possible_until_the_deadline(seconds: int, status: int) -> None:
    booking = a_booking(price=5)
    assert booking.expires_at is not None

    with time_machine.travel(booking.expires_at + timedelta(seconds=seconds), tick=False):
        assert pay(booking.user, booking).status_code == status


def test_a_payment_in_progress_extends_the_hold_once() -> None:
    booking = a_booking(price=5)
    late = NOW + timedelta(minutes=14)

    start_payment(user=booking.user, booking_id=booking.pk, token="tok_decline", now=late)
    booking.refresh_from_db()
    assert booking.expires_at == late + timedelta(minutes=10)

    process_payment(payment_id=Payment.objects.get().pk, now=late)
    start_payment(user=booking.user, booking_id=booking.pk, now=late + timedelta(minutes=9))
    booking.refresh_from_db()
    assert booking.expires_at == late + timedelta(minutes=10)


def test_somebody_elses_booking_looks_like_none() -> None:
    booking = a_booking(price=5)
    client = APIClient()
    client.force_authenticate(a_user())

    of_other = client.post("/api/payments/", {"booking": booking.pk}).json()
    of_nothing = client.post("/api/payments/", {"booking": 10**15}).json()

    assert of_other["errors"][0]["code"] == "does_not_exist"
    assert {**of_other, "request_id": ""} == {**of_nothing, "request_id": ""}
    assert Payment.objects.count() == 0


def test_the_organizer_sees_the_booking_and_may_not_pay_it() -> None:
    booking = a_booking(price=5)

    response = pay(booking.event.organizer, booking)

    assert (response.status_code, response.json()["code"], Payment.objects.count()) == (403, "not_your_booking", 0)


def test_the_same_key_pays_once() -> None:
    """PAY-6"""
    booking = a_booking(price=5)
    client = APIClient()
    client.force_authenticate(booking.user)

    answers = [
        client.post("/api/payments/", {"booking": booking.pk}, headers={"Idempotency-Key": "pay-1"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert "Idempotency-Replayed" not in answers[0]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert Payment.objects.count() == 1


def test_a_success_for_an_expired_booking_confirms_it_while_seats_are_free() -> None:
    """PAY-5, RELIABILITY C1"""
    payment = a_payment_that_nobody_heard_of(capacity=1)
    later = NOW + timedelta(minutes=30)
    expire_booking(booking_id=payment.booking_id, now=later)
    assert Booking.objects.get().status == "expired"

    process_payment(payment_id=payment.pk, now=later)

    booking = Booking.objects.get()
    assert (booking.status, booking.amount_due) == ("confirmed", booking.total_amount)
    assert Event.objects.get(pk=booking.event_id).seats_taken == 1
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("reason", ["sold_out", "waitlist", "booked_again", "event_cancelled"])
def test_a_success_for_an_expired_booking_goes_back_otherwise(reason: str) -> None:
    """PAY-5, RELIABILITY A4, C1"""
    payment = a_payment_that_nobody_heard_of(capacity=2 if reason == "booked_again" else 1)
    event, later = payment.booking.event, NOW + timedelta(minutes=30)
    expire_booking(booking_id=payment.booking_id, now=later)
    if reason == "sold_out":
        a_booking(event=event, now=later)
    elif reason == "booked_again":
        a_booking(event=event, user=payment.booking.user, now=later)
    elif reason == "waitlist":
        event.ticket_types.update(waiting_count=1)
    else:
        Event.objects.filter(pk=event.pk).update(status="cancelled")

    process_payment(payment_id=payment.pk, now=later)
    work_off(later)

    payment.refresh_from_db()
    booking = Booking.objects.get(pk=payment.booking_id)
    assert (booking.status, payment.status, payment.refunded_amount) == ("expired", "refunded", payment.amount)
    assert Refund.objects.get().reason.startswith("The booking was closed")
    assert Invoice.objects.count() == 0  # money that is returned at once gets none


def test_a_success_for_a_cancelled_booking_goes_back() -> None:
    payment = a_payment_that_nobody_heard_of()
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=NOW)
    later = NOW + timedelta(minutes=1)

    process_payment(payment_id=payment.pk, now=later)
    work_off(later)

    payment.refresh_from_db()
    assert (payment.status, Refund.objects.get().amount) == ("refunded", payment.amount)


def test_cancelling_before_the_worker_came_charges_nothing() -> None:
    payment = a_payment()

    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=NOW)
    process_payment(payment_id=payment.pk, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, MockGatewayEntry.objects.count(), Refund.objects.count()) == ("cancelled", 0, 0)


@pytest.mark.parametrize("end", ["cancelled", "expired", "confirmed_by_hand", "event_cancelled"])
def test_what_did_not_arrive_at_the_gateway_is_not_taken_for_a_booking_that_needs_it_no_more(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, booking = a_payment_that_never_arrived(monkeypatch)
    event, later = booking.event, NOW + timedelta(minutes=30)
    if end == "cancelled":
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    elif end == "expired":
        expire_booking(booking_id=booking.pk, now=later)
    elif end == "confirmed_by_hand":
        confirm_by_hand(booking_id=booking.pk, reason="A friend", actor=event.organizer, now=NOW)
    else:
        cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    process_payment(payment_id=payment.pk, now=later)

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("failed", "timed_out")
    assert MockGatewayEntry.objects.count() == 0


def test_control_it_is_taken_while_the_booking_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, booking = a_payment_that_never_arrived(monkeypatch)

    process_payment(payment_id=payment.pk, now=NOW + timedelta(minutes=1))

    booking.refresh_from_db()
    assert (booking.status, MockGatewayEntry.objects.count()) == ("confirmed", 1)


def test_a_second_try_is_not_charged_once_the_first_one_turns_out_to_have_paid() -> None:
    booking = a_booking(price=25, now=NOW)
    lost = a_processed_payment(booking=booking, token="tok_decline")
    second = a_payment(booking=booking)
    MockGatewayEntry.objects.update(succeeded=True, failure_code="")

    record_charge(payment_id=lost.pk, outcome=_found(lost), now=NOW)
    process_payment(payment_id=second.pk, now=NOW)

    booking.refresh_from_db()
    second.refresh_from_db()
    assert (booking.status, second.status, MockGatewayEntry.objects.count()) == ("confirmed", "cancelled", 1)


def a_payment_that_nobody_heard_of(**values: Any) -> Payment:
    """Return a payment whose money the gateway took, and whose answer was lost on its way."""
    return a_processed_payment(token="tok_timeout", **values)


def a_payment_that_never_arrived(monkeypatch: pytest.MonkeyPatch) -> tuple[Payment, Booking]:
    """Return a payment that was sent to a gateway that was away, with its booking."""
    payment = a_payment()
    with monkeypatch.context() as patch:
        patch.setattr(MockGateway, "charge", _nobody_there)
        process_payment(payment_id=payment.pk, now=NOW)
    payment.refresh_from_db()
    assert payment.status == "processing"
    return payment, payment.booking


def _nobody_there(desk: MockGateway, order: Any) -> Any:
    raise GatewayUnavailableError("Nobody there.")


def _found(payment: Payment) -> Outcome:
    outcome = MockGateway().find_charge(order_of(payment))
    assert outcome is not None
    return outcome


def test_the_timeout_asks_the_gateway_before_it_fails_a_payment() -> None:
    """PAY-3"""
    taken = a_processed_payment(token="tok_timeout")
    lost = a_payment()
    Payment.objects.filter(pk=lost.pk).update(status="processing")
    later = NOW + timedelta(hours=1)

    for payment in (taken, lost):
        time_out_payment(payment_id=payment.pk, now=later)
        payment.refresh_from_db()

    assert (taken.status, Booking.objects.get(pk=taken.booking_id).status) == ("completed", "confirmed")
    assert (lost.status, lost.failure_code) == ("failed", "timed_out")
    assert Booking.objects.get(pk=lost.booking_id).status == "expired"


def test_a_different_amount_confirms_nothing_and_goes_back() -> None:
    """RELIABILITY C6"""
    payment = a_payment()
    MockGatewayEntry.objects.create(
        kind="charge", key=payment.gateway_key, reference="x", amount=1, currency="EUR", succeeded=True, created_at=NOW
    )

    process_payment(payment_id=payment.pk, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code, payment.amount) == ("completed", "wrong_amount", Decimal(1))
    assert Refund.objects.get(payment=payment).amount == Decimal(1)
    assert Booking.objects.get().status == "pending"


def test_cancelling_a_paid_booking_refunds_it_and_credits_the_invoice() -> None:
    """BKG-4, PAY-4, PAY-5"""
    booking = a_paid_booking(tax_rate=Decimal(19), price="119.00")
    work_off()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    work_off()
    work_off()

    payment = Payment.objects.get()
    invoice, credit = Invoice.objects.order_by("pk")
    assert (payment.status, payment.refunded_amount) == ("refunded", Decimal(119))
    assert (invoice.subtotal, invoice.tax, invoice.total) == (100, 19, 119)
    assert (credit.kind, credit.corrects, credit.total, credit.tax) == ("credit_note", invoice, -119, -19)
    assert MockGatewayEntry.objects.filter(kind="refund").get().amount == 119


def test_a_partial_policy_keeps_its_part() -> None:
    booking = a_paid_booking(price="10.05", refund_policy="partial", refund_percent=50)

    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    work_off()

    payment = Payment.objects.get()
    assert (payment.status, payment.refunded_amount) == ("partially_refunded", Decimal("5.03"))


def test_invoices_are_numbered_by_organizer_and_never_change() -> None:
    """PAY-4"""
    from payments.models.invoices import InvoiceImmutable

    event, other = an_event(price=5), an_event(price=5)
    for each in (event, event, other):
        a_paid_booking(booking=a_booking(event=each))
    work_off()

    prefix = f"EH{event.organizer_id}-INV-"
    numbers = Invoice.objects.filter(booking__event=event).order_by("pk").values_list("number", flat=True)
    assert list(numbers) == [f"{prefix}000001", f"{prefix}000002"]
    invoice = Invoice.objects.get(booking__event=other)
    assert invoice.number.endswith("-INV-000001")
    invoice.total = Decimal(1)
    for change in (invoice.save, invoice.delete, Invoice.objects.all().delete):
        with pytest.raises(InvoiceImmutable):
            change()
    assert Invoice.objects.count() == 3


def test_money_for_a_cancelled_event_goes_back_if_the_booking_expires_before_it_is_closed() -> None:
    """RELIABILITY C1, C11: either of the two sweeps may come first."""
    payment = a_payment_that_nobody_heard_of()
    event = payment.booking.event
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)
    process_payment(payment_id=payment.pk, now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=1)

    assert expire_booking(booking_id=payment.booking_id, now=later)
    work_off(later)

    payment.refresh_from_db()
    assert (payment.status, Refund.objects.get().amount) == ("refunded", payment.amount)


def test_the_timeout_leaves_a_payment_alone_that_a_worker_takes_to_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELIABILITY C5: the worker dies after the charge, and the timeout had asked before it."""

    class KilledError(BaseException):
        pass

    payment = a_payment()
    later = NOW + timedelta(hours=1)
    charge = MockGateway.charge

    def charge_and_die(gateway: MockGateway, order: ChargeOrder) -> None:
        time_out_payment(payment_id=payment.pk, now=later)
        charge(gateway, order)
        raise KilledError

    monkeypatch.setattr(MockGateway, "charge", charge_and_die)
    with pytest.raises(KilledError):
        process_payment(payment_id=payment.pk, now=later)
    payment.refresh_from_db()
    assert payment.status == "processing"

    time_out_payment(payment_id=payment.pk, now=later + timedelta(minutes=5))
    payment.refresh_from_db()
    assert (payment.status, Booking.objects.get().status) == ("completed", "confirmed")


def test_no_worker_charges_a_payment_that_is_being_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = a_payment()
    later = NOW + timedelta(hours=1)
    find = MockGateway.find_charge

    def find_while_a_worker_comes(gateway: MockGateway, **order: Any) -> Any:
        found = find(gateway, **order)
        process_payment(payment_id=payment.pk, now=later)
        return found

    monkeypatch.setattr(MockGateway, "find_charge", find_while_a_worker_comes)
    time_out_payment(payment_id=payment.pk, now=later)

    payment.refresh_from_db()
    assert (payment.status, MockGatewayEntry.objects.count()) == ("failed", 0)


def test_the_timeout_leaves_a_payment_alone_whose_booking_still_waits() -> None:
    payment = a_payment()

    time_out_payment(payment_id=payment.pk, now=NOW)

    payment.refresh_from_db()
    assert (payment.status, payment.claimed_until) == ("pending", None)


def test_money_that_comes_twice_goes_back_and_what_is_kept_has_the_invoice() -> None:
    """A payment that was taken for failed proves good after another one was made."""
    late = a_processed_payment(token="tok_decline")
    kept = a_processed_payment(booking=Booking.objects.get())
    outcome = Outcome(State.SUCCEEDED, "late", late.amount, late.currency)

    record_charge(payment_id=late.pk, outcome=outcome, now=NOW + timedelta(minutes=1))

    assert Refund.objects.get().payment == late
    assert InvoiceRequest.objects.get().payment == kept


def test_a_prefix_that_somebody_gave_up_can_be_taken_without_harm() -> None:
    """The series of its first owner keeps it, so the second one's is numbered by the organizer's id."""
    first, second = an_event(price=5), an_event(price=5)
    for event, prefix, later in ((first, "ACME", "ACME-2"), (second, "ACME", "ACME")):
        details = OrganizerProfile.objects.filter(user=event.organizer)
        details.update(invoice_prefix=prefix)
        a_paid_booking(booking=a_booking(event=event))
        work_off()
        details.update(invoice_prefix=later)

    numbers = list(Invoice.objects.order_by("pk").values_list("number", flat=True))
    assert numbers == ["ACME-INV-000001", f"EH{second.organizer_id}-INV-000001"]
