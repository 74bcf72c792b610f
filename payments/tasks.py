"""Celery entry points of payments."""

from celery import shared_task
from django.utils import timezone

from payments import services
from payments.models import Payment
from payments.services import mock_gateway


@shared_task(name="payments.process_payment")
def process_payment(*, payment_id: int, **_: object) -> None:
    services.process_payment(payment_id=payment_id, now=timezone.now())


@shared_task(name="payments.time_out_payment")
def time_out_payment(*, payment_id: int, **_: object) -> None:
    if Payment.objects.filter(pk=payment_id).exists():
        services.time_out_payment(payment_id=payment_id, now=timezone.now())


@shared_task(name="payments.send_refund")
def send_refund(*, refund_id: int, **_: object) -> None:
    services.send_refund(refund_id=refund_id, now=timezone.now())


@shared_task(name="payments.create_invoice")
def create_invoice(*, request_id: int, **_: object) -> None:
    services.issue_invoice(request_id=request_id, now=timezone.now())


@shared_task(name="payments.process_callback")
def process_callback(*, callback_id: int, **_: object) -> None:
    services.process_callback(callback_id=callback_id, now=timezone.now())


@shared_task(name="payments.mock_gateway_tells")
def mock_gateway_tells(*, message_id: int, **_: object) -> None:
    mock_gateway.tell(message_id=message_id, now=timezone.now())
