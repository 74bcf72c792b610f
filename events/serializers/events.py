"""The shape of events in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared import money
from eventhub_config.shared.fields import ChoiceField, ModelSerializer, MomentField, MoneyField, moment_text
from eventhub_config.shared.images.addresses import ImageUrlsField, image_urls
from eventhub_config.shared.validators import (
    validate_language,
    validate_single_line,
    validate_timezone,
    validate_web_address,
)
from events.availability import unavailable_reason
from events.models import Event, validate_currency
from events.serializers.ticket_types import LARGEST, TicketTypeSerializer, TicketTypeWriteSerializer, ticket_type_body
from users.models import CustomUser


class OrganizerSummarySerializer(serializers.Serializer[CustomUser]):
    id = serializers.IntegerField()
    name = serializers.CharField(source="display_name")


class EventSerializer(ModelSerializer):
    """An event as everyone sees it who may see it; what depends on the caller is not here."""

    # ``context["now"]`` decides what can be booked. Built by hand below: this is the hottest body of the API.

    organizer = OrganizerSummarySerializer()
    registration_deadline = MomentField(source="closes_at")
    price = MoneyField(allow_null=True, help_text="The lowest among the ticket types; null without any.")
    seats_left = serializers.IntegerField(allow_null=True)
    is_bookable = serializers.BooleanField()
    unavailable_reason = serializers.CharField(allow_null=True)
    ticket_types = TicketTypeSerializer(many=True)
    skills = serializers.ListField(child=serializers.CharField())
    cover_image = ImageUrlsField(source="cover_id")

    class Meta:
        model = Event
        fields = [
            "id", "slug", "version", "organizer", "title", "summary", "description", "category", "status", "format",
            "venue_name", "address", "city", "country", "latitude", "longitude",
            "starts_at", "ends_at", "timezone", "registration_deadline",
            "capacity", "seats_taken", "seats_left", "is_bookable", "unavailable_reason",
            "price", "currency", "tax_rate", "ticket_types", "skills", "hours", "language",
            "attendance_rule", "refund_policy", "refund_until", "refund_percent", "cancellation_reason",
            "cover_image", "average_rating", "review_count", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, event: Event) -> dict[str, Any]:
        kinds = event.types_on_view()
        reason = unavailable_reason(event, kinds, self.context["now"])
        prices = [kind.price for kind in kinds]
        return {
            "id": event.pk,
            "slug": event.slug,
            "version": event.version,
            "organizer": {"id": event.organizer_id, "name": event.organizer.display_name},
            "title": event.title,
            "summary": event.summary,
            "description": event.description,
            "category": event.category,
            "status": event.status,
            "format": event.format,
            "venue_name": event.venue_name,
            "address": event.address,
            "city": event.city,
            "country": event.country,
            "latitude": _text(event.latitude),
            "longitude": _text(event.longitude),
            "starts_at": moment_text(event.starts_at),
            "ends_at": moment_text(event.ends_at),
            "timezone": event.timezone,
            "registration_deadline": moment_text(event.closes_at),
            "capacity": event.capacity,
            "seats_taken": event.seats_taken,
            "seats_left": event.seats_left,
            "is_bookable": reason is None,
            "unavailable_reason": reason,
            "price": money.as_text(min(prices), event.currency) if prices else None,
            "currency": event.currency,
            "tax_rate": _text(event.tax_rate),
            "ticket_types": [ticket_type_body(kind, event.currency) for kind in kinds],
            "skills": event.skills,
            "hours": _text(event.hours),
            "language": event.language,
            "attendance_rule": event.attendance_rule,
            "refund_policy": event.refund_policy,
            "refund_until": moment_text(event.refund_until) if event.refund_until else None,
            "refund_percent": event.refund_percent,
            "cancellation_reason": event.cancellation_reason,
            "cover_image": image_urls(event.cover_id, self.context) if event.cover_id else None,
            "average_rating": _text(event.average_rating),
            "review_count": event.review_count,
            "created_at": moment_text(event.created_at),
            "updated_at": moment_text(event.updated_at),
        }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class EventWriteSerializer(serializers.Serializer[Any]):
    """What an organizer sends; whatever else is in the body changes nothing."""

    title = serializers.CharField(max_length=160, validators=[validate_single_line])
    summary = serializers.CharField(max_length=300, required=False, allow_blank=True, validators=[validate_single_line])
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    category = ChoiceField(choices=Event.Category.choices)
    format = ChoiceField(choices=Event.Format.choices, required=False)
    language = serializers.CharField(max_length=12, required=False, validators=[validate_language])
    skills = serializers.ListField(
        child=serializers.CharField(max_length=60, validators=[validate_single_line]), max_length=30, required=False
    )
    hours = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=500, allow_null=True, required=False
    )
    venue_name = serializers.CharField(
        max_length=160, required=False, allow_blank=True, validators=[validate_single_line]
    )
    address = serializers.CharField(max_length=300, required=False, allow_blank=True, validators=[validate_single_line])
    city = serializers.CharField(max_length=120, required=False, allow_blank=True, validators=[validate_single_line])
    country = serializers.RegexField(
        r"^[A-Z]{2}$",
        required=False,
        allow_blank=True,
        error_messages={"invalid": "Send the two capital letters of ISO 3166-1, such as DE."},
    )
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=-90, max_value=90, allow_null=True, required=False
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, min_value=-180, max_value=180, allow_null=True, required=False
    )
    online_url = serializers.URLField(
        max_length=500, required=False, allow_blank=True, validators=[validate_web_address]
    )
    starts_at = MomentField()
    ends_at = MomentField()
    timezone = serializers.CharField(max_length=64, required=False, validators=[validate_timezone])
    registration_deadline = MomentField(allow_null=True, required=False)
    capacity = serializers.IntegerField(min_value=0, max_value=LARGEST, allow_null=True, required=False)
    currency = serializers.CharField(max_length=3, required=False, validators=[validate_currency])
    tax_rate = serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False)
    attendance_rule = ChoiceField(choices=Event.AttendanceRule.choices, required=False)
    refund_policy = ChoiceField(choices=Event.RefundPolicy.choices, required=False)
    refund_until = MomentField(allow_null=True, required=False)
    refund_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)


class EventCreateSerializer(EventWriteSerializer):
    """`price` alone makes one ticket type; `ticket_types` makes several; neither makes a free one."""

    price = MoneyField(required=False, max_value=money.LARGEST_PRICE)
    ticket_types: Any = serializers.ListSerializer(
        child=TicketTypeWriteSerializer(), required=False, allow_empty=False, max_length=50
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "price" in attrs and "ticket_types" in attrs:
            raise serializers.ValidationError({"price": ["Give either price or ticket_types."]}, code="ambiguous")
        return attrs

    def split(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the event's values and its ticket types."""
        values = dict(self.validated_data)
        kinds = values.pop("ticket_types", None)
        price = values.pop("price", money.ZERO)
        values.setdefault("attendance_rule", default_attendance_rule(values.get("format")))
        return values, kinds or [{"name": "Standard", "price": price}]


def default_attendance_rule(event_format: str | None) -> str:
    """Return what attending means unless the organizer says otherwise: nobody is checked in online."""
    return Event.AttendanceRule.CONFIRMED if event_format == Event.Format.ONLINE else Event.AttendanceRule.CHECK_IN


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class DuplicateSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(
        max_length=160, required=False, validators=[validate_single_line], help_text="Left out: the same title."
    )
    starts_at = MomentField(
        required=False, help_text="All other times move along by the clock. Left out: they stay as they are."
    )
