"""Each occasion tells the right person once, in the transaction of its cause."""

from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import (
    cancel_booking,
    expire_booking,
    give_booking,
    lapse_offer,
    leave_waitlist,
    resend_confirmation,
    tell_of_move,
)
from bookings.services.complimentary import Gift
from bookings.tests.factories import a_booking, a_full_event, a_place, an_offer
from events.services import cancel_event, update_event
from events.tests.factories import NOW, START, an_event
from notifications.jobs import JOBS
from notifications.messages import KINDS
from notifications.models import Notification
from notifications.tests.test_account_mails import ABOUT_ACCOUNTS
from payments.models import Invoice, InvoiceRequest, Payment, Refund
from payments.services import issue_invoice, mark_refund_as_paid, record_payment, send_refund
from payments.tests.factories import a_paid_booking, a_processed_payment
from users.models import CustomUser
from users.services import register_user
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db


def told(booking: Booking) -> list[str]:
    """Return the kinds of messages to whoever made a booking, in the order they were written."""
    return list(Notification.objects.filter(user=booking.user).order_by("pk").values_list("kind", flat=True))


def message(booking: Booking, kind: str) -> Notification:
    return Notification.objects.get(user=booking.user, kind=kind)


def test_a_new_account_is_welcomed() -> None:
    user = register_user(username="ada", email="ada@example.org", password="a pass phrase for tests", now=NOW)

    welcome = Notification.objects.get(user=user, in_app=True)
    assert (welcome.kind, welcome.type, welcome.dedupe_key) == (
        "user_registered",
        "confirmation",
        f"user.registered:{user.pk}",
    )
    assert (welcome.created_at, welcome.next_attempt_at, welcome.data) == (NOW, NOW, {})


def test_a_free_booking_is_confirmed() -> None:
    booking = a_booking()

    assert told(booking) == ["booking_confirmed"]
    assert message(booking, "booking_confirmed").data == {"booking": booking.pk, "event": booking.event_id}


def test_a_paid_booking_is_held_until_a_deadline_of_the_event_s_clock() -> None:
    booking = a_booking(price="12.50", seats=2)

    assert told(booking) == ["booking_placed"]
    assert message(booking, "booking_placed").body == (
        f"We hold your seats for “Zero to API” under booking {booking.reference}. "
        "Pay 25.00 EUR by Mon 1 March 2027, 13:15 (Europe/Berlin, UTC+01:00) to confirm them."
    )


def test_a_payment_confirms_and_its_invoice_is_told() -> None:
    booking = a_paid_booking()
    request = InvoiceRequest.objects.get(payment__booking=booking)

    issue_invoice(request_id=request.pk, now=NOW)
    issue_invoice(request_id=request.pk, now=NOW)

    invoice = Invoice.objects.get(booking=booking)
    assert told(booking) == ["booking_placed", "booking_confirmed", "invoice_issued"]
    issued = message(booking, "invoice_issued")
    assert (issued.type, issued.title) == ("payment", f"Invoice {invoice.number}: Zero to API")
    assert issued.data == {
        "booking": booking.pk,
        "event": booking.event_id,
        "payment": invoice.payment_id,
        "invoice": invoice.pk,
    }
    assert f"Invoice {invoice.number} over 25.00 EUR" in issued.body


def test_a_payment_that_fails_is_told() -> None:
    payment = a_processed_payment(token="tok_decline")

    assert payment.status == Payment.Status.FAILED
    assert told(payment.booking) == ["booking_placed", "payment_failed"]
    failed = message(payment.booking, "payment_failed")
    assert (failed.type, failed.data["payment"]) == ("payment", payment.pk)
    assert "Your payment of 25.00 EUR" in failed.body


def test_a_cancellation_and_its_refund_are_told() -> None:
    booking = a_paid_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW, reason="Ill\r\nin bed")
    refund = Refund.objects.get(payment__booking=booking)

    send_refund(refund_id=refund.pk, now=NOW)

    assert told(booking) == ["booking_placed", "booking_confirmed", "booking_cancelled", "refund_completed"]
    assert message(booking, "booking_cancelled").body == (
        f"Your booking {booking.reference} for “Zero to API” is cancelled. Reason: Ill in bed"
    )
    refunded = message(booking, "refund_completed")
    assert refunded.title == "Refund of 25.00 EUR: Zero to API"
    assert refunded.body == (
        f"25.00 EUR went back to you for your booking {booking.reference} of “Zero to API”. "
        "It can take some days until your bank shows it. Reason: Ill in bed"
    )
    assert (refunded.data["refund"], refunded.data["payment"]) == (refund.pk, refund.payment_id)


def test_money_that_a_person_gave_back_is_told_with_how_they_did_it() -> None:
    """PAY-5"""
    booking = a_booking(price=25)
    organizer = booking.event.organizer
    record_payment(booking_id=booking.pk, method="cash", note="", actor=organizer, now=NOW)
    cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
    refund = Refund.objects.get(payment__booking=booking)
    send_refund(refund_id=refund.pk, now=NOW)

    mark_refund_as_paid(refund_id=refund.pk, note="Cash, at the door", actor=organizer, now=NOW)

    assert message(booking, "refund_completed").body.startswith(
        f"25.00 EUR went back to you for your booking {booking.reference} of “Zero to API”. "
        "Whoever runs the event gave it back by hand: “Cash, at the door”. Reason: "
    )


def test_an_unpaid_booking_that_expires_is_told_once() -> None:
    booking = a_booking(price=25)
    later = NOW + timedelta(hours=1)

    expire_booking(booking_id=booking.pk, now=later)
    expire_booking(booking_id=booking.pk, now=later)

    assert told(booking) == ["booking_placed", "booking_expired"]


def test_everybody_on_a_cancelled_event_is_told_why() -> None:
    event = an_event()
    bookings = [a_booking(event=event) for _ in range(2)]

    cancel_event(event_id=event.pk, actor=event.organizer, now=NOW, reason="The hall burnt down.")
    from bookings.jobs import CLOSE_CANCELLED

    CLOSE_CANCELLED.run(NOW)

    for booking in bookings:
        assert told(booking) == ["booking_confirmed", "booking_cancelled"]
        assert message(booking, "booking_cancelled").body.endswith(" Reason: The event was cancelled.")


def test_a_booking_that_is_refused_tells_nobody() -> None:
    event = an_event(capacity=1)
    a_booking(event=event)
    late: CustomUser = a_user()
    client = APIClient()
    client.force_authenticate(late)

    response = client.post("/api/bookings/", {"event": event.pk})

    assert response.status_code == 409
    assert not Notification.objects.filter(user=late).exists()


def test_every_kind_can_be_mailed(mailoutbox: list[EmailMultiAlternatives]) -> None:
    register_user(username="ada", email="ada@example.org", password="a pass phrase for tests", now=NOW)
    paid = a_paid_booking()
    issue_invoice(request_id=InvoiceRequest.objects.get(payment__booking=paid).pk, now=NOW)
    cancel_booking(booking_id=paid.pk, actor=paid.user, now=NOW)
    send_refund(refund_id=Refund.objects.get(payment__booking=paid).pk, now=NOW)
    refused = a_paid_booking(token="tok_refund_fails")
    by_hand = a_booking(price=25)
    record_payment(booking_id=by_hand.pk, method="cash", note="", actor=by_hand.event.organizer, now=NOW)
    for booking in (refused, by_hand):
        cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
        send_refund(refund_id=Refund.objects.get(payment__booking=booking).pk, now=NOW)
    a_processed_payment(token="tok_decline")
    expire_booking(booking_id=a_booking(price=25).pk, now=NOW + timedelta(hours=1))
    moved = a_booking()
    update_event(event_id=moved.event_id, changes={"city": "Hamburg"}, actor=moved.event.organizer, now=NOW)
    tell_of_move(booking_id=moved.pk, now=NOW)
    resend_confirmation(booking_id=moved.pk, actor=moved.user, now=NOW)
    lapse_offer(entry_id=an_offer(now=NOW - timedelta(days=1), starts_at=START).pk, now=NOW)
    removed = a_place(a_full_event())
    leave_waitlist(entry_id=removed.pk, actor=removed.event.organizer, now=NOW)
    for guest in (a_user().email, "newcomer@example.org"):
        gift = Gift(email=guest, reason="Press")
        give_booking(event_id=moved.event_id, gift=gift, actor=moved.event.organizer, now=NOW)
    kinds = set(Notification.objects.values_list("kind", flat=True))

    JOBS[0].run(NOW + timedelta(hours=1))

    assert kinds | ABOUT_ACCOUNTS == set(KINDS)
    assert not Notification.objects.exclude(status=Notification.Status.SENT).exists()
    assert len(mailoutbox) == Notification.objects.count()
    assert all("{" not in mail.body and mail.alternatives for mail in mailoutbox)
