"""What an event's own row tells of it."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared.statistics_sections import Section
from events.models import Event


class RatingStatisticsSerializer(serializers.Serializer[Any]):
    average = serializers.DecimalField(
        max_digits=3, decimal_places=2, allow_null=True, help_text="Of its visible reviews; null without any."
    )
    count = serializers.IntegerField()


def of_event(event_id: int) -> dict[str, Any]:
    average, count = Event.objects.values_list("average_rating", "review_count").get(pk=event_id)
    return {"average": None if average is None else f"{average:.2f}", "count": count}


STATISTICS = Section("rating", RatingStatisticsSerializer, of_event)
