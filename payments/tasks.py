"""Celery entry points of payments."""

from celery import shared_task
from django.utils import timezone

from payments import services
from payments.models import Payment


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
