"""What people are told when something happened. Each writes one row, in the transaction of its cause."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from bookings.models import Booking
from bookings.signals import booking_cancelled, booking_confirmed, booking_expired, booking_placed
from eventhub_config.shared.dispatch import enqueue_on_commit
from notifications import services, tasks
from notifications.signals import message_owed
from notifications.texts import local_moment, price
from payments.models import Invoice, Payment, Refund
from payments.signals import invoice_issued, payment_failed, refund_completed
from users.models import CustomUser
from users.signals import user_registered


@receiver(message_owed)
def wake_delivery_worker(*, notification_id: int, **_: Any) -> None:
    enqueue_on_commit(tasks.deliver_message, notification_id=notification_id)


@receiver(user_registered)
def welcome(*, user: CustomUser, **_: Any) -> None:
    services.notify(
        user_id=user.pk,
        kind="user_registered",
        dedupe_key=f"user.registered:{user.pk}",
        context={"username": user.username},
        data={},
        now=user.date_joined,
    )


@receiver(booking_placed)
def tell_of_hold(*, booking: Booking, now: datetime, **_: Any) -> None:
    context = {
        "amount": price(booking.total_amount, booking.currency),
        "deadline": local_moment(booking.expires_at or now, booking.event.timezone),
    }
    _tell("booking_placed", f"booking.placed:{booking.pk}", booking, now, context)


@receiver(booking_confirmed)
def tell_of_confirmation(*, booking: Booking, now: datetime, **_: Any) -> None:
    _tell("booking_confirmed", f"booking.confirmed:{booking.pk}", booking, now)


@receiver(booking_cancelled)
def tell_of_cancellation(*, booking: Booking, now: datetime, **_: Any) -> None:
    reason = f"Reason: {booking.cancellation_reason}" if booking.cancellation_reason else ""
    _tell("booking_cancelled", f"booking.cancelled:{booking.pk}", booking, now, {"reason": reason})


@receiver(booking_expired)
def tell_of_expiry(*, booking: Booking, now: datetime, **_: Any) -> None:
    _tell("booking_expired", f"booking.expired:{booking.pk}", booking, now)


@receiver(payment_failed)
def tell_of_failed_payment(*, payment: Payment, now: datetime, **_: Any) -> None:
    context = {"amount": price(payment.amount, payment.currency)}
    data = {"payment": payment.pk}
    _tell("payment_failed", f"payment.failed:{payment.pk}", payment.booking, now, context, data)


@receiver(refund_completed)
def tell_of_refund(*, refund: Refund, now: datetime, **_: Any) -> None:
    payment = refund.payment
    context = {"amount": price(refund.amount, payment.currency)}
    data = {"payment": payment.pk, "refund": refund.pk}
    _tell("refund_completed", f"refund.completed:{refund.pk}", payment.booking, now, context, data)


@receiver(invoice_issued)
def tell_of_invoice(*, invoice: Invoice, now: datetime, **_: Any) -> None:
    context = {
        "document": invoice.get_kind_display(),
        "number": invoice.number,
        "amount": price(invoice.total, invoice.currency),
    }
    data = {"payment": invoice.payment_id, "invoice": invoice.pk}
    _tell("invoice_issued", f"invoice.issued:{invoice.pk}", invoice.booking, now, context, data)


def _tell(
    kind: str,
    dedupe_key: str,
    booking: Booking,
    now: datetime,
    context: Mapping[str, str] | None = None,
    data: Mapping[str, int] | None = None,
) -> None:
    """Write a message about a booking to the person who made it."""
    services.notify(
        user_id=booking.user_id,
        kind=kind,
        dedupe_key=dedupe_key,
        context={"event": booking.event.title, "reference": booking.reference, **(context or {})},
        data={"booking": booking.pk, "event": booking.event_id, **(data or {})},
        now=now,
    )
