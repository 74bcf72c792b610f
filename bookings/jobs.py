"""The periodic work of bookings."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bookings import services, tasks
from bookings.models import Booking
from eventhub_config.shared.periodic import Sweep
from events.models import Event


def overdue_holds(now: datetime) -> Iterable[int]:
    overdue = Booking.objects.filter(status=Booking.Status.PENDING, expires_at__lte=now)
    return overdue.order_by("expires_at").values_list("pk", flat=True)


def on_cancelled_events(now: datetime) -> Iterable[int]:
    left = Booking.objects.active().filter(event__status=Event.Status.CANCELLED)
    return left.order_by("pk").values_list("pk", flat=True)


CLOSE_CANCELLED = Sweep(
    name="sweep_cancelled_events",
    every=timedelta(minutes=1),
    find=on_cancelled_events,
    work=lambda booking_id, now: services.close_after_event_cancellation(booking_id=booking_id, now=now),
    task=tasks.close_after_event_cancellation,
    argument="booking_id",
)

JOBS = [
    Sweep(
        name="sweep_expired_holds",
        every=timedelta(minutes=1),
        find=overdue_holds,
        work=lambda booking_id, now: services.expire_booking(booking_id=booking_id, now=now),
        task=tasks.expire_hold,
        argument="booking_id",
    ),
    CLOSE_CANCELLED,
]
