"""Celery entry points of events."""

from celery import shared_task
from django.utils import timezone

from events import services
from events.models import Event
from events.services import searching


@shared_task(name="events.advance_event")
def advance_event(*, event_id: int, **_: object) -> None:
    if Event.objects.filter(pk=event_id).exists():
        services.advance_event(event_id=event_id, now=timezone.now())


@shared_task(name="events.refresh_search_document")
def refresh_search_document(*, event_id: int, **_: object) -> None:
    searching.refresh_stale(event_id=event_id, now=timezone.now())


@shared_task(name="events.refresh_search")
def refresh_search(**_: object) -> None:
    """Hand out what has grown old right after it did; Beat's sweep does the same later."""
    from events.jobs import REFRESH_SEARCH

    REFRESH_SEARCH.hand_out(timezone.now())
