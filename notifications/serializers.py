"""The shape of notifications in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared.fields import ModelSerializer
from notifications.models import Notification


class NotificationSerializer(ModelSerializer):
    data = serializers.DictField(  # type: ignore[assignment]
        child=serializers.IntegerField(), help_text="Ids of what the message is about, such as `booking` and `event`."
    )

    class Meta:
        model = Notification
        fields = ["id", "type", "title", "body", "data", "is_read", "read_at", "created_at"]
        read_only_fields = fields


class UnreadCountSerializer(serializers.Serializer[Any]):
    unread_count = serializers.IntegerField()


class MarkedSerializer(serializers.Serializer[Any]):
    marked = serializers.IntegerField(help_text="How many were unread.")
