"""What bookings do when something happened to an event."""

from typing import Any

from django.dispatch import receiver

from bookings import tasks
from eventhub_config.shared.dispatch import enqueue_on_commit
from events.signals import event_cancelled


@receiver(event_cancelled)
def close_bookings(**_: Any) -> None:
    """Begin to close the event's bookings; they stand as rows, so a sweep goes on where this ends."""
    enqueue_on_commit(tasks.close_cancelled_event)
