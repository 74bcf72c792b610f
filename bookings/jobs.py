"""The periodic work of bookings."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from bookings import services, tasks
from bookings.models import Booking, Waitlist
from bookings.services.waitlist import events_to_tend
from eventhub_config.shared.periodic import Sweep
from events.models import Event


def overdue_holds(now: datetime) -> QuerySet[Any, int]:
    overdue = Booking.objects.filter(status=Booking.Status.PENDING, expires_at__lte=now)
    return overdue.order_by("expires_at").values_list("pk", flat=True)


def on_cancelled_events(now: datetime) -> QuerySet[Any, int]:
    # Not those of people who did not come: the event took place for them, and no move leads from there to cancelled.
    open_ones = [Booking.Status.PENDING, Booking.Status.CONFIRMED]
    left = Booking.objects.filter(status__in=open_ones, event__status=Event.Status.CANCELLED)
    return left.order_by("pk").values_list("pk", flat=True)


def owed_the_news(now: datetime) -> QuerySet[Any, int]:
    owed = Booking.objects.filter(move_notice_owed_since__isnull=False)
    return owed.order_by("move_notice_owed_since", "pk").values_list("pk", flat=True)


def overdue_offers(now: datetime) -> QuerySet[Any, int]:
    overdue = Waitlist.objects.filter(status=Waitlist.Status.OFFERED, offer_expires_at__lte=now)
    return overdue.order_by("offer_expires_at", "pk").values_list("pk", flat=True)


CLOSE_CANCELLED = Sweep(
    name="sweep_cancelled_events",
    every=timedelta(minutes=1),
    find=on_cancelled_events,
    work=lambda booking_id, now: services.close_after_event_cancellation(booking_id=booking_id, now=now),
    task=tasks.close_after_event_cancellation,
    argument="booking_id",
)

TELL_OF_MOVES = Sweep(
    name="sweep_moved_bookings",
    every=timedelta(minutes=1),
    find=owed_the_news,
    work=lambda booking_id, now: services.tell_of_move(booking_id=booking_id, now=now),
    task=tasks.tell_of_move,
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
    Sweep(
        name="sweep_offers",
        every=timedelta(minutes=1),
        find=overdue_offers,
        work=lambda entry_id, now: services.lapse_offer(entry_id=entry_id, now=now),
        task=tasks.lapse_offer,
        argument="entry_id",
    ),
    Sweep(
        name="sweep_waitlists",
        every=timedelta(minutes=1),
        find=events_to_tend,
        work=lambda event_id, now: services.tend_waitlist(event_id=event_id, now=now),
        task=tasks.tend_waitlist,
        argument="event_id",
    ),
    CLOSE_CANCELLED,
    TELL_OF_MOVES,
]
