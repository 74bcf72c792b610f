"""What bookings do when something happened to an event."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from bookings import services, tasks
from bookings.signals import offers_left
from eventhub_config.shared.dispatch import enqueue_on_commit
from events.models import Event
from events.signals import event_cancelled, event_moved, sales_changed


@receiver(event_cancelled)
def close_bookings(**_: Any) -> None:
    """Begin to close the event's bookings; they stand as rows, so a sweep goes on where this ends."""
    enqueue_on_commit(tasks.close_cancelled_event)


@receiver(event_cancelled)
def close_waitlist(*, event: Event, **_: Any) -> None:
    """Begin to close the places in its queue; until then nobody is offered anything any more."""
    enqueue_on_commit(tasks.tend_waitlist, event_id=event.pk)


@receiver(sales_changed)
def serve_waitlist(*, event: Event, now: datetime, **_: Any) -> None:
    """Offer the seats that an edit brought before anybody else can take them."""
    services.follow_sales(event, now=now)


@receiver(offers_left)
def wake_waitlist_worker(*, event: Event, **_: Any) -> None:
    enqueue_on_commit(tasks.tend_waitlist, event_id=event.pk)


@receiver(event_moved)
def free_the_booked(*, event: Event, now: datetime, **_: Any) -> None:
    """Let attendees cancel for nothing, and owe them the news."""
    if services.owe_move_notices(event=event, now=now):
        enqueue_on_commit(tasks.tell_of_moved_event)
