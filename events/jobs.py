"""The periodic work of events."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from eventhub_config.shared.periodic import Sweep
from events.models import Event, EventSearch
from events.services import advance_event, searching
from events.tasks import advance_event as advance_event_task
from events.tasks import refresh_search_document


def to_advance(now: datetime) -> QuerySet[Any, int]:
    starting = Event.objects.filter(status=Event.Status.PUBLISHED, starts_at__lte=now)
    ending = Event.objects.filter(status=Event.Status.ONGOING, ends_at__lte=now)
    return starting.values_list("pk", flat=True).union(ending.values_list("pk", flat=True))


def stale_documents(now: datetime) -> QuerySet[Any, int]:
    stale = EventSearch.objects.filter(stale_since__lte=now)
    return stale.order_by("stale_since", "pk").values_list("pk", flat=True)


REFRESH_SEARCH = Sweep(
    name="sweep_search",
    every=timedelta(minutes=1),
    find=stale_documents,
    work=lambda event_id, now: searching.refresh_stale(event_id=event_id, now=now),
    task=refresh_search_document,
    argument="event_id",
)

JOBS = [
    REFRESH_SEARCH,
    Sweep(
        name="advance_event_status",
        every=timedelta(minutes=1),
        find=to_advance,
        work=lambda event_id, now: advance_event(event_id=event_id, now=now),
        task=advance_event_task,
        argument="event_id",
    ),
]
