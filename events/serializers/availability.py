"""The shape of what can be booked right now."""

from typing import Any

from rest_framework import serializers


class TypeAvailabilitySerializer(serializers.Serializer[Any]):
    ticket_type = serializers.IntegerField()
    seats_left = serializers.IntegerField(allow_null=True)
    is_bookable = serializers.BooleanField()
    unavailable_reason = serializers.CharField(allow_null=True)


class AvailabilitySerializer(serializers.Serializer[Any]):
    event = serializers.IntegerField()
    capacity = serializers.IntegerField(allow_null=True)
    seats_taken = serializers.IntegerField()
    seats_left = serializers.IntegerField(allow_null=True)
    is_bookable = serializers.BooleanField()
    unavailable_reason = serializers.CharField(allow_null=True)
    ticket_types = TypeAvailabilitySerializer(many=True)
