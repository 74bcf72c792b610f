"""Celery entry points of bookings."""

from celery import shared_task
from django.utils import timezone

from bookings import services
from bookings.models import Booking, Waitlist
from events.models import Event


@shared_task(name="bookings.expire_hold")
def expire_hold(*, booking_id: int, **_: object) -> None:
    if Booking.objects.filter(pk=booking_id).exists():
        services.expire_booking(booking_id=booking_id, now=timezone.now())


@shared_task(name="bookings.close_after_event_cancellation")
def close_after_event_cancellation(*, booking_id: int, **_: object) -> None:
    if Booking.objects.filter(pk=booking_id).exists():
        services.close_after_event_cancellation(booking_id=booking_id, now=timezone.now())


@shared_task(name="bookings.close_cancelled_event")
def close_cancelled_event(**_: object) -> None:
    """Hand out the closing of bookings right after their event was cancelled; Beat's sweep does the same later."""
    from bookings.jobs import CLOSE_CANCELLED

    CLOSE_CANCELLED.hand_out(timezone.now())


@shared_task(name="bookings.lapse_offer")
def lapse_offer(*, entry_id: int, **_: object) -> None:
    if Waitlist.objects.filter(pk=entry_id).exists():
        services.lapse_offer(entry_id=entry_id, now=timezone.now())


@shared_task(name="bookings.tend_waitlist")
def tend_waitlist(*, event_id: int, **_: object) -> None:
    if Event.objects.filter(pk=event_id).exists():
        services.tend_waitlist(event_id=event_id, now=timezone.now())


@shared_task(name="bookings.tell_of_move")
def tell_of_move(*, booking_id: int, **_: object) -> None:
    services.tell_of_move(booking_id=booking_id, now=timezone.now())


@shared_task(name="bookings.tell_of_moved_event")
def tell_of_moved_event(**_: object) -> None:
    """Hand out the news right after an event was moved; Beat's sweep does the same later."""
    from bookings.jobs import TELL_OF_MOVES

    TELL_OF_MOVES.hand_out(timezone.now())
