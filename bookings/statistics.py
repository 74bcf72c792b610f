"""Figures about an event's bookings."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from rest_framework import serializers

from bookings.models import Booking, Ticket, Waitlist
from eventhub_config.shared.statistics_sections import Section
from events.models import Event


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="In the event's time zone.")
    bookings = serializers.IntegerField()
    seats = serializers.IntegerField()


class BookingStatisticsSerializer(serializers.Serializer[Any]):
    by_status = serializers.DictField(child=serializers.IntegerField(), help_text="Bookings in each state.")
    seats_by_status = serializers.DictField(child=serializers.IntegerField(), help_text="Their seats.")
    waitlist_by_status = serializers.DictField(
        child=serializers.IntegerField(), help_text="Places in its queues, in each state."
    )
    seats_taken = serializers.IntegerField(help_text="Those that are offered to the waitlist too.")
    complimentary_seats = serializers.IntegerField(help_text="Of them, those that were given away.")
    fill_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null: unlimited.")
    checked_in = serializers.IntegerField(help_text="Tickets.")
    check_in_rate = serializers.FloatField(
        allow_null=True,
        help_text="0 to 1: of the seats of confirmed and no-show bookings those that were checked in; null: none.",
    )
    by_day = DaySerializer(
        many=True, help_text="What was booked on each day, whatever became of it. Days without bookings are left out."
    )


def of_event(event_id: int) -> dict[str, Any]:
    """Return the figures in five statements, however many bookings there are."""
    event = Event.objects.only("capacity", "seats_taken", "timezone").get(pk=event_id)
    bookings = Booking.objects.filter(event_id=event_id).order_by()
    given = Coalesce(Sum("seats", filter=Q(total_amount=0) & ~Q(waiver_reason="")), 0)
    counted = {
        status: (count, seats, given_away)
        for status, count, seats, given_away in bookings.values_list("status").annotate(
            count=Count("pk"), total=Sum("seats"), given=given
        )
    }
    by_status = {status: counted.get(status, (0, 0, 0)) for status in Booking.Status.values}
    places = Waitlist.objects.filter(event_id=event_id).order_by()
    queued = dict(places.values_list("status").annotate(count=Count("pk")))
    days = (
        bookings.annotate(day=TruncDate("created_at", tzinfo=ZoneInfo(event.timezone)))
        .values("day")
        .annotate(bookings=Count("pk"), seats=Sum("seats"))
        .order_by("day")
    )
    checked_in = Ticket.objects.of_event(event_id).filter(status=Ticket.Status.CHECKED_IN).count()
    expected = by_status[Booking.Status.CONFIRMED][1] + by_status[Booking.Status.NO_SHOW][1]
    return {
        "by_status": {status: count for status, (count, _seats, _given) in by_status.items()},
        "seats_by_status": {status: seats for status, (_count, seats, _given) in by_status.items()},
        "waitlist_by_status": {status: queued.get(status, 0) for status in Waitlist.Status.values},
        "seats_taken": event.seats_taken,
        "complimentary_seats": sum(by_status[status][2] for status in Booking.ACTIVE),
        "fill_rate": _rate(event.seats_taken, event.capacity),
        "checked_in": checked_in,
        "check_in_rate": _rate(checked_in, expected),
        "by_day": [{**day, "day": day["day"].isoformat()} for day in days],
    }


def _rate(part: int, whole: int | None) -> float | None:
    return round(part / whole, 4) if whole else None


STATISTICS = Section("bookings", BookingStatisticsSerializer, of_event)
