"""The shape of ticket types in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared import money
from eventhub_config.shared.fields import ModelSerializer, MomentField, MoneyField, moment_text
from eventhub_config.shared.validators import validate_single_line
from events.models import TicketType

LARGEST = 1_000_000  # seats; far above any hall, far below what an integer column holds


class TicketTypeSerializer(ModelSerializer):
    price = MoneyField(currency_source="event.currency")
    seats_left = serializers.IntegerField(
        allow_null=True,
        read_only=True,
        help_text="Of its `quantity`; null without one. `availability` looks at the capacity too.",
    )

    class Meta:
        model = TicketType
        fields = [
            "id", "event", "name", "description", "price", "quantity", "seats_taken", "seats_left",
            "sales_start_at", "sales_end_at", "min_per_booking", "max_per_booking", "is_visible", "position",
        ]  # fmt: skip
        read_only_fields = fields


class TicketTypeWriteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, validators=[validate_single_line])
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    price = MoneyField(required=False, max_value=money.LARGEST_PRICE)
    quantity = serializers.IntegerField(min_value=0, max_value=LARGEST, allow_null=True, required=False)
    sales_start_at = MomentField(allow_null=True, required=False)
    sales_end_at = MomentField(allow_null=True, required=False)
    min_per_booking = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    max_per_booking = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    is_visible = serializers.BooleanField(required=False)
    position = serializers.IntegerField(min_value=0, max_value=10_000, required=False)


class TicketTypeCreateSerializer(TicketTypeWriteSerializer):
    event = serializers.IntegerField(min_value=1)


def ticket_type_body(kind: TicketType, currency: str) -> dict[str, Any]:
    """Return what the serializer makes of a ticket type, by hand: it stands in every event of every list."""
    return {
        "id": kind.pk,
        "event": kind.event_id,
        "name": kind.name,
        "description": kind.description,
        "price": money.as_text(kind.price, currency),
        "quantity": kind.quantity,
        "seats_taken": kind.seats_taken,
        "seats_left": kind.seats_left,
        "sales_start_at": moment_text(kind.sales_start_at) if kind.sales_start_at else None,
        "sales_end_at": moment_text(kind.sales_end_at) if kind.sales_end_at else None,
        "min_per_booking": kind.min_per_booking,
        "max_per_booking": kind.max_per_booking,
        "is_visible": kind.is_visible,
        "position": kind.position,
    }
