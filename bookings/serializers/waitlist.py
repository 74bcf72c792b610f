"""The shape of the waitlist in the API."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from bookings.models import Waitlist
from bookings.serializers.bookings import BillingSerializer, RequirementsGivenSerializer
from bookings.services.waitlist import Acceptance, Attendee, positions
from eventhub_config.shared.fields import ModelSerializer, MomentField
from eventhub_config.shared.validators import validate_single_line


class WaitlistListSerializer(serializers.ListSerializer[Any]):
    """Counts the positions of all its entries in one statement."""

    positions: Mapping[int, int] = {}

    def to_representation(self, data: Any) -> Any:
        entries = list(data)
        self.positions = positions(entries)
        return super().to_representation(entries)


class WaitlistSerializer(ModelSerializer):
    """A party's place in the queue for one ticket type of an event."""

    name = serializers.CharField(source="user.display_name", help_text="Of whoever waits.")
    seats = serializers.IntegerField(help_text="The size of the party.")
    position = serializers.SerializerMethodField(help_text="From 1; null unless it waits.")
    passed_over_at = MomentField(
        allow_null=True,
        help_text="When a smaller party behind was served first, because there was too little for this one.",
    )
    offer_expires_at = MomentField(
        allow_null=True, help_text="Until when the seats that were offered are held; null before there was an offer."
    )
    booking: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True, help_text="Once accepted.")

    class Meta:
        model = Waitlist
        list_serializer_class = WaitlistListSerializer
        fields = [
            "id", "event", "ticket_type", "user", "name", "seats", "status", "position", "passed_over_at", "offered_at",
            "offer_expires_at", "booking", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_position(self, entry: Waitlist) -> int | None:
        listed = self.parent
        counted = listed.positions if isinstance(listed, WaitlistListSerializer) else positions([entry])
        return counted.get(entry.pk)


class JoinWaitlistSerializer(serializers.Serializer[Any]):
    """`{"event": 5}` alone queues for one seat of the first ticket type that is sold out."""

    event = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    ticket_type = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    seats = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=1)


class OfferedAttendeeSerializer(serializers.Serializer[Any]):
    """Who one of the seats is for."""

    attendee_name = serializers.CharField(
        max_length=160, required=False, allow_blank=True, default="", validators=[validate_single_line]
    )
    attendee_email = serializers.EmailField(required=False, allow_blank=True, default="")


class AcceptOfferSerializer(serializers.Serializer[Any]):
    """What you can say when you take the seats; all of it may be left out."""

    attendees: Any = serializers.ListSerializer(child=OfferedAttendeeSerializer(), required=False, max_length=100)
    special_requirements = RequirementsGivenSerializer(required=False)
    billing = BillingSerializer(required=False)

    def as_acceptance(self) -> Acceptance:
        values = self.validated_data
        return Acceptance(
            attendees=[Attendee(**attendee) for attendee in values.get("attendees", [])],
            special_requirements=values.get("special_requirements", {}),
            billing=values.get("billing", {}),
        )


class OfferNextSerializer(serializers.Serializer[Any]):
    """Without a ticket type: whoever has waited longest for any of them."""

    ticket_type = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
