"""Figures about an event's bookings."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from rest_framework import serializers

from bookings.models import Booking, Ticket
from eventhub_config.shared.statistics_sections import Section
from events.models import Event


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="In the event's time zone.")
    bookings = serializers.IntegerField()
    seats = serializers.IntegerField()


class BookingStatisticsSerializer(serializers.Serializer[Any]):
    by_status = serializers.DictField(child=serializers.IntegerField(), help_text="Bookings in each state.")
    seats_taken = serializers.IntegerField()
    fill_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null: unlimited.")
    checked_in = serializers.IntegerField(help_text="Tickets.")
    by_day = DaySerializer(many=True)


def of_event(event_id: int) -> dict[str, Any]:
    event = Event.objects.only("capacity", "seats_taken", "timezone").get(pk=event_id)
    bookings = Booking.objects.filter(event_id=event_id).order_by()
    counted = dict(bookings.values_list("status").annotate(count=Count("pk")))
    days = (
        bookings.annotate(day=TruncDate("created_at", tzinfo=ZoneInfo(event.timezone)))
        .values("day")
        .annotate(bookings=Count("pk"), seats=Sum("seats"))
        .order_by("day")
    )
    checked_in = Ticket.objects.filter(Q(booking__event_id=event_id) & Q(status=Ticket.Status.CHECKED_IN))
    return {
        "by_status": {str(status): counted.get(status, 0) for status in Booking.Status.values},
        "seats_taken": event.seats_taken,
        "fill_rate": round(event.seats_taken / event.capacity, 4) if event.capacity else None,
        "checked_in": checked_in.count(),
        "by_day": [{**day, "day": day["day"].isoformat()} for day in days],
    }


STATISTICS = Section("bookings", BookingStatisticsSerializer, of_event)
