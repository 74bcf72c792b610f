"""Celery entry points of notifications."""

from celery import shared_task
from django.utils import timezone

from notifications import services


@shared_task(name="notifications.deliver_message")
def deliver_message(*, notification_id: int, **_: object) -> None:
    services.deliver(notification_id=notification_id, now=timezone.now())
