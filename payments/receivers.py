"""What payments do when something happened: to bookings, or to money itself."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from bookings.models import Booking
from bookings.signals import booking_cancelled, booking_confirmed_by_hand, booking_expired
from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.dispatch import enqueue_on_commit
from payments import services, signals, tasks
from payments.models import GatewayCallback, InvoiceRequest, MockGatewayMessage, Payment, Refund
from payments.services.invoicing import request_credit_note


@receiver(booking_cancelled)
def return_money(*, booking: Booking, actor: Actor, now: datetime, **_: Any) -> None:
    """Owe back what the refund policy does not retain, in the transaction that cancels the booking."""
    services.cancel_open_payments(booking=booking, actor=actor, now=now)
    reason = booking.cancellation_reason or "The booking was cancelled."
    services.refund_surplus(booking=booking, reason=reason, actor=actor, now=now)


@receiver(booking_confirmed_by_hand)
def stop_payments(*, booking: Booking, actor: Actor, now: datetime, **_: Any) -> None:
    """Cancel what did not reach the gateway, and owe back what came in: nothing is due any more."""
    services.cancel_open_payments(booking=booking, actor=actor, now=now)
    services.refund_surplus(booking=booking, reason="Nothing is to be paid.", actor=actor, now=now)


@receiver(booking_expired)
def return_money_of_expired(*, booking: Booking, now: datetime, **_: Any) -> None:
    """Owe back whatever came in: a payment that arrived after its event was cancelled left the booking pending."""
    actor = System("sweep_expired_holds")
    services.cancel_open_payments(booking=booking, actor=actor, now=now)
    services.refund_surplus(booking=booking, reason="The booking expired.", actor=actor, now=now)


@receiver(signals.refund_completed)
def owe_credit_note(*, refund: Refund, now: datetime, **_: Any) -> None:
    request_credit_note(refund=refund, now=now)


@receiver(signals.payment_requested)
def wake_payment_worker(*, payment: Payment, **_: Any) -> None:
    enqueue_on_commit(tasks.process_payment, payment_id=payment.pk)


@receiver(signals.refund_requested)
def wake_refund_worker(*, refund: Refund, **_: Any) -> None:
    enqueue_on_commit(tasks.send_refund, refund_id=refund.pk)


@receiver(signals.invoice_requested)
def wake_invoice_worker(*, request: InvoiceRequest, **_: Any) -> None:
    enqueue_on_commit(tasks.create_invoice, request_id=request.pk)


@receiver(signals.callback_received)
def wake_callback_worker(*, callback: GatewayCallback, **_: Any) -> None:
    enqueue_on_commit(tasks.process_callback, callback_id=callback.pk)


@receiver(signals.mock_gateway_spoke)
def wake_mock_gateway(*, message: MockGatewayMessage, **_: Any) -> None:
    enqueue_on_commit(tasks.mock_gateway_tells, message_id=message.pk)
