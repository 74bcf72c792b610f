"""What bookings do when something happened to an event."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from bookings import services, tasks
from eventhub_config.shared.dispatch import enqueue_on_commit
from events.models import Event
from events.signals import event_cancelled, event_moved


@receiver(event_cancelled)
def close_bookings(**_: Any) -> None:
    """Begin to close the event's bookings; they stand as rows, so a sweep goes on where this ends."""
    enqueue_on_commit(tasks.close_cancelled_event)


@receiver(event_moved)
def free_the_booked(*, event: Event, now: datetime, **_: Any) -> None:
    """Let attendees cancel for nothing, and owe them the news."""
    if services.owe_move_notices(event=event, now=now):
        enqueue_on_commit(tasks.tell_of_moved_event)
