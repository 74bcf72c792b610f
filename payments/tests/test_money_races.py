"""Money under concurrency: one charge, one refund, one number each, and no deadlock that a person would see."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import book_seats, cancel_booking, expire_booking
from bookings.services.booking import BookingRequest
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.races import at_once, outcomes
from events.services import cancel_event, update_event
from events.tests.factories import NOW, an_event
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, MockGatewayEntry, Payment, Refund
from payments.services import invoicing, issue_invoice, process_payment, send_refund, start_payment
from payments.tests.factories import a_paid_booking, a_payment, a_processed_payment

pytestmark = pytest.mark.django_db(transaction=True)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def settle_everything(now: Any) -> None:
    """Run every job until nothing is owed, as Beat would."""
    from eventhub_config.shared.periodic import all_jobs

    for lap in range(4):  # on a slow machine a sweep ends later than it began, and so does what it made
        for job in all_jobs().values():
            job.run(now + lap * timedelta(minutes=1))


def test_twenty_payments_of_one_booking_make_one_charge() -> None:
    """RELIABILITY C2"""
    booking = a_booking(price=25)

    started = at_once([lambda: start_payment(user=booking.user, booking_id=booking.pk, now=NOW)] * 20)
    payment = Payment.objects.get()
    Payment.objects.update(token="tok_success")
    at_once([lambda: process_payment(payment_id=payment.pk, now=NOW)] * 10)
    settle_everything(NOW)

    assert outcomes(started) == {"ok": 1, "payment_in_progress": 19}
    assert MockGatewayEntry.objects.count() == Invoice.objects.count() == 1
    assert Booking.objects.get().status == "confirmed"
    assert findings() == []


def test_twenty_workers_send_one_refund() -> None:
    """RELIABILITY C4"""
    booking = a_paid_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    refund = Refund.objects.get()

    at_once([lambda: send_refund(refund_id=refund.pk, now=NOW)] * 20)
    settle_everything(NOW)

    payment = Payment.objects.get()
    assert (payment.status, payment.refunded_amount) == ("refunded", payment.amount)
    assert MockGatewayEntry.objects.filter(kind="refund").count() == 1
    assert findings() == []


def test_paying_against_cancelling_ends_paid_or_refunded() -> None:
    """Guards the lock order: no deadlock surfaces, and the money is where the booking says."""
    for _ in range(6):
        payment = a_payment()
        event = payment.booking.event
        results = at_once(
            [
                lambda pk=payment.pk: process_payment(payment_id=pk, now=NOW),
                lambda b=payment.booking: cancel_booking(booking_id=b.pk, actor=b.user, now=NOW),
                lambda e=event: update_event(event_id=e.pk, changes={"title": "New"}, actor=e.organizer, now=NOW),
                lambda b=payment.booking: start_payment(user=b.user, booking_id=b.pk, now=NOW),
            ]
        )
        assert set(outcomes(results)) <= {"ok", "payment_in_progress", "booking_not_payable", "nothing_to_pay"}
    settle_everything(NOW + timedelta(minutes=2))

    assert set(Booking.objects.values_list("status", flat=True)) == {"cancelled"}
    assert findings() == []


def test_late_money_and_booking_again_end_as_one_booking(caplog: Any) -> None:
    """RELIABILITY A4, C1: either confirms the old booking or goes back, and neither waits for the other in a circle."""
    caplog.set_level("INFO")
    later = NOW + timedelta(hours=2)
    for _ in range(8):
        payment = a_processed_payment(token="tok_timeout")
        person, event = payment.booking.user, payment.booking.event
        expire_booking(booking_id=payment.booking_id, now=later)

        results = at_once(
            [
                lambda pk=payment.pk: process_payment(payment_id=pk, now=later),
                lambda u=person, e=event: book_seats(user=u, request=BookingRequest(event_id=e.pk), now=later),
            ]
        )

        payment.booking.refresh_from_db()
        again = outcomes(results[1:])
        assert again == {"already_booked" if payment.booking.status == "confirmed" else "ok": 1}
        assert outcomes(results[:1]) == {"ok": 1}
        assert Booking.objects.active().filter(user=person, event=event).count() == 1
        assert Refund.objects.filter(payment=payment).count() == (payment.booking.status == "expired")
    assert "deadlock" not in caplog.text
    assert findings() == []


def test_an_event_cancelled_while_people_pay_returns_everything() -> None:
    """RELIABILITY C11"""
    event = an_event(price=10)
    payments = [a_payment(booking=a_booking(event=event)) for _ in range(12)]
    work = [lambda pk=payment.pk: process_payment(payment_id=pk, now=NOW) for payment in payments]

    results = at_once([*work, lambda: cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)])
    settle_everything(NOW + timedelta(minutes=2))

    assert outcomes(results) == {"ok": 13}
    event.refresh_from_db()
    assert event.seats_taken == 0
    charged = sum(entry.amount for entry in MockGatewayEntry.objects.filter(kind="charge", succeeded=True))
    returned = sum(entry.amount for entry in MockGatewayEntry.objects.filter(kind="refund"))
    assert charged == returned
    assert findings() == []


def test_invoice_numbers_have_no_gaps_and_no_doubles() -> None:
    """RELIABILITY D1, D2"""
    event = an_event(price=5)
    for _ in range(12):
        a_processed_payment(booking=a_booking(event=event))
    requests = list(InvoiceRequest.objects.values_list("pk", flat=True))

    results = at_once([lambda pk=pk: issue_invoice(request_id=pk, now=NOW) for pk in requests for _ in range(2)])

    assert outcomes(results) == {"ok": 24}
    assert sorted(Invoice.objects.values_list("sequence", flat=True)) == list(range(1, 13))
    assert InvoiceSeries.objects.get().last_number == 12
    assert findings() == []


def test_a_rollback_in_the_middle_leaves_no_gap() -> None:
    """RELIABILITY D2: the number is drawn, then something fails before the commit."""
    from payments import signals

    event = an_event(price=5)
    for _ in range(3):
        a_processed_payment(booking=a_booking(event=event))
    first, second, third = InvoiceRequest.objects.order_by("pk").values_list("pk", flat=True)
    issue_invoice(request_id=first, now=NOW)

    def fail(**_: Any) -> None:
        raise RuntimeError("a receiver that breaks")

    signals.invoice_issued.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            issue_invoice(request_id=second, now=NOW)
    finally:
        signals.invoice_issued.disconnect(fail)
    issue_invoice(request_id=third, now=NOW)
    issue_invoice(request_id=second, now=NOW)

    assert sorted(Invoice.objects.values_list("sequence", flat=True)) == [1, 2, 3]
    assert InvoiceRequest.objects.get(pk=second).attempts == 2
    assert findings() == []


def test_an_invoice_that_kills_its_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """RELIABILITY F1: one that is never counted would be tried for ever."""
    a_processed_payment()
    request = InvoiceRequest.objects.get()

    class KilledError(BaseException):
        pass

    def die(**_: Any) -> None:
        raise KilledError

    monkeypatch.setattr(invoicing, "_issue", die)
    for _ in range(InvoiceRequest.MAX_ATTEMPTS):
        with pytest.raises(KilledError):
            issue_invoice(request_id=request.pk, now=NOW)
    issue_invoice(request_id=request.pk, now=NOW)

    request.refresh_from_db()
    assert (request.attempts, request.parked_at, request.invoice) == (8, NOW, None)
    assert request.last_error == "Its workers died over it."
