"""Those who run an event are told of a refund that needs them: once each time that it is given up."""

from datetime import timedelta

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.owed_work import OwedWork
from events.tests.factories import NOW
from notifications.models import Notification
from payments.models import Payment, Refund
from payments.services import record_payment, retry_refund, send_refund
from payments.tests.factories import a_paid_booking

pytestmark = [pytest.mark.django_db]

MINUTE = timedelta(minutes=1)


def a_refund_of(booking: Booking) -> Refund:
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    return Refund.objects.get(payment__booking=booking)


def told(refund: Refund) -> list[tuple[str, str]]:
    """Return kind and key of what was said to whoever runs the event, in order."""
    messages = Notification.objects.filter(user=refund.payment.booking.event.organizer, type="payment")
    return list(messages.order_by("pk").values_list("kind", "dedupe_key"))


def test_one_that_its_gateway_refused() -> None:
    """NTF-1, PAY-5"""
    booking = a_paid_booking(token="tok_refund_fails", price="25.00")
    refund = a_refund_of(booking)

    send_refund(refund_id=refund.pk, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)

    message = Notification.objects.get(kind="refund_failed")
    assert (message.user, message.title) == (booking.event.organizer, "A refund did not go through: Zero to API")
    assert message.body == (
        f"25.00 EUR of booking {booking.reference} for “Zero to API” could not be given back (refund_declined). "
        "You can have it tried again, or give the money back yourself and note that."
    )
    assert message.data == {
        "refund": refund.pk, "payment": refund.payment_id, "booking": booking.pk, "event": booking.event_id
    }  # fmt: skip


def test_tried_again_and_refused_again_it_is_told_again() -> None:
    """NTF-2"""
    refund = a_refund_of(a_paid_booking(token="tok_refund_fails"))
    send_refund(refund_id=refund.pk, now=NOW)

    retry_refund(refund_id=refund.pk, actor=refund.payment.booking.event.organizer, now=NOW + MINUTE)
    send_refund(refund_id=refund.pk, now=NOW + MINUTE)
    send_refund(refund_id=refund.pk, now=NOW + MINUTE)

    assert told(refund) == [
        ("refund_failed", f"refund.failed:{refund.pk}:{moment.isoformat()}") for moment in (NOW, NOW + MINUTE)
    ]


def test_one_whose_workers_died_over_it() -> None:
    refund = a_refund_of(a_paid_booking())
    Refund.objects.update(attempts=OwedWork.MAX_ATTEMPTS)

    send_refund(refund_id=refund.pk, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW)

    assert [kind for kind, _key in told(refund)] == ["refund_failed"]
    assert "it was tried too often without an answer" in Notification.objects.get(kind="refund_failed").body


def test_one_that_only_people_can_give_back() -> None:
    booking = a_booking(price="25.00")
    record_payment(booking_id=booking.pk, method="cash", note="", actor=booking.event.organizer, now=NOW)
    refund = a_refund_of(booking)

    send_refund(refund_id=refund.pk, now=NOW)
    send_refund(refund_id=refund.pk, now=NOW + MINUTE)

    assert told(refund) == [("refund_left_to_people", f"refund.left_to_people:{refund.pk}")]
    assert Notification.objects.get(kind="refund_left_to_people").body == (
        f"25.00 EUR of booking {booking.reference} for “Zero to API” has to go back, and no machine can do that: "
        "please pay it yourself, then note that you did."
    )
    assert Payment.objects.get().status == "completed"


def test_one_that_went_through_is_none_of_it() -> None:
    refund = a_refund_of(a_paid_booking())

    send_refund(refund_id=refund.pk, now=NOW)

    assert told(refund) == []
