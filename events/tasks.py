"""Celery entry points of events."""

from celery import shared_task
from django.utils import timezone

from events import services
from events.models import Event


@shared_task(name="events.advance_event")
def advance_event(*, event_id: int, **_: object) -> None:
    if Event.objects.filter(pk=event_id).exists():
        services.advance_event(event_id=event_id, now=timezone.now())
