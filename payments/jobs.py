"""The periodic work of payments."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from bookings.models import Booking
from eventhub_config.shared.periodic import Chore, Sweep
from payments import services, tasks
from payments.models import GatewayCallback, InvoiceRequest, MockGatewayMessage, Payment, Refund
from payments.services import mock_gateway


def payments_to_process(now: datetime) -> QuerySet[Any, int]:
    return Payment.objects.filter(Payment.due(now), status__in=Payment.OPEN).order_by("pk").values_list("pk", flat=True)


def payments_out_of_time(now: datetime) -> QuerySet[Any, int]:
    """Yield open payments that nobody works on and whose booking can no longer wait for them."""
    over = ~Q(booking__status=Booking.Status.PENDING) | Q(booking__expires_at__lte=now)
    idle = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return Payment.objects.filter(over & idle, status__in=Payment.OPEN).order_by("pk").values_list("pk", flat=True)


def refunds_to_send(now: datetime) -> QuerySet[Any, int]:
    waiting = [Refund.Status.REQUESTED, Refund.Status.PROCESSING]
    return Refund.objects.filter(Refund.due(now), status__in=waiting).order_by("pk").values_list("pk", flat=True)


def invoices_to_issue(now: datetime) -> QuerySet[Any, int]:
    return (
        InvoiceRequest.objects.filter(InvoiceRequest.due(now), invoice=None).order_by("pk").values_list("pk", flat=True)
    )


def callbacks_to_process(now: datetime) -> QuerySet[Any, int]:
    waiting = GatewayCallback.objects.filter(GatewayCallback.due(now), processed_at=None)
    return waiting.order_by("pk").values_list("pk", flat=True)


def messages_of_the_mock_gateway(now: datetime) -> QuerySet[Any, int]:
    waiting = MockGatewayMessage.objects.filter(MockGatewayMessage.due(now), delivered_at=None)
    return waiting.order_by("pk").values_list("pk", flat=True)


MINUTE = timedelta(minutes=1)

JOBS = [
    Sweep(
        name="sweep_payments",
        every=MINUTE,
        find=payments_to_process,
        work=lambda payment_id, now: services.process_payment(payment_id=payment_id, now=now),
        task=tasks.process_payment,
        argument="payment_id",
    ),
    Sweep(
        name="process_payment_timeout",
        every=5 * MINUTE,
        find=payments_out_of_time,
        work=lambda payment_id, now: services.time_out_payment(payment_id=payment_id, now=now),
        task=tasks.time_out_payment,
        argument="payment_id",
    ),
    Sweep(
        name="sweep_refunds",
        every=MINUTE,
        find=refunds_to_send,
        work=lambda refund_id, now: services.send_refund(refund_id=refund_id, now=now),
        task=tasks.send_refund,
        argument="refund_id",
    ),
    Sweep(
        name="sweep_invoices",
        every=MINUTE,
        find=invoices_to_issue,
        work=lambda request_id, now: services.issue_invoice(request_id=request_id, now=now),
        task=tasks.create_invoice,
        argument="request_id",
    ),
    Sweep(
        name="sweep_callbacks",
        every=MINUTE,
        find=callbacks_to_process,
        work=lambda callback_id, now: services.process_callback(callback_id=callback_id, now=now),
        task=tasks.process_callback,
        argument="callback_id",
    ),
    Sweep(
        name="mock_gateway_tells",
        every=MINUTE,
        find=messages_of_the_mock_gateway,
        work=lambda message_id, now: mock_gateway.tell(message_id=message_id, now=now),
        task=tasks.mock_gateway_tells,
        argument="message_id",
    ),
    Chore(name="mock_gateway_settles", every=MINUTE, run=mock_gateway.settle_due),
]
