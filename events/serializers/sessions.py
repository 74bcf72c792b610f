"""The shape of sessions in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared.fields import ModelSerializer, MomentField
from eventhub_config.shared.validators import validate_single_line
from events.models import Session
from events.serializers.ticket_types import LARGEST


class SessionSerializer(ModelSerializer):
    class Meta:
        model = Session
        fields = [
            "id",
            "event",
            "title",
            "description",
            "speaker",
            "room",
            "starts_at",
            "ends_at",
            "capacity",
            "position",
        ]
        read_only_fields = fields


class SessionWriteSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=160, validators=[validate_single_line])
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    speaker = serializers.CharField(
        max_length=160,
        required=False,
        allow_blank=True,
        validators=[validate_single_line],
        help_text="Several names are separated by commas, `&` or `and`.",
    )
    room = serializers.CharField(max_length=80, required=False, allow_blank=True, validators=[validate_single_line])
    starts_at = MomentField()
    ends_at = MomentField()
    capacity = serializers.IntegerField(
        min_value=0, max_value=LARGEST, allow_null=True, required=False, help_text="For information only."
    )
    position = serializers.IntegerField(
        min_value=0, max_value=10_000, required=False, help_text="Order among those that begin together."
    )


class SessionCreateSerializer(SessionWriteSerializer):
    event = serializers.IntegerField(min_value=1)
