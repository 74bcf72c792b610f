"""Celery entry points of users."""

from celery import shared_task
from django.utils import timezone

from users import services


@shared_task(name="users.answer_password_reset")
def answer_password_reset(*, request_id: int, **_: object) -> None:
    services.answer_password_reset(request_id=request_id, now=timezone.now())


@shared_task(name="users.answer_registration")
def answer_registration(*, pending_id: int, **_: object) -> None:
    services.answer_registration(pending_id=pending_id, now=timezone.now())


@shared_task(name="users.answer_email_change")
def answer_email_change(*, link_id: int, **_: object) -> None:
    services.answer_email_change(link_id=link_id, now=timezone.now())
