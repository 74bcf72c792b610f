"""The shape of what somebody could book of an event."""

from typing import Any

from rest_framework import serializers

from bookings.models import Booking, Waitlist
from bookings.services.eligibility import Eligibility
from eventhub_config.shared.fields import MomentField, moment_text


class OwnBookingSerializer(serializers.Serializer[Any]):
    """What you have booked of an event, in short."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=Booking.Status.choices)
    expires_at = MomentField(allow_null=True)


class OwnWaitlistEntrySerializer(serializers.Serializer[Any]):
    """Where you stand in the queue for an event."""

    id = serializers.IntegerField()
    ticket_type = serializers.IntegerField()
    seats = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Waitlist.Status.choices)
    position = serializers.IntegerField(allow_null=True)
    offer_expires_at = MomentField(allow_null=True)


class TypeEligibilitySerializer(serializers.Serializer[Any]):
    """What you could book of one ticket type."""

    ticket_type = serializers.IntegerField()
    is_eligible = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    seats_left = serializers.IntegerField(allow_null=True, help_text="For everybody; null: unlimited.")
    max_seats = serializers.IntegerField(help_text="What one booking of yours could have at most; 0 if not eligible.")
    can_join_waitlist = serializers.BooleanField(help_text="Whether you could queue for it now.")


class EligibilitySerializer(serializers.Serializer[Any]):
    """What you could book of an event at this moment, and what is yours of it."""

    event = serializers.IntegerField()
    is_eligible = serializers.BooleanField()
    reason = serializers.CharField(
        allow_null=True, help_text="The code that a booking would be refused with; null if you can book."
    )
    detail = serializers.CharField(allow_blank=True, help_text="The same in words.")
    ticket_types = TypeEligibilitySerializer(many=True)
    booking = OwnBookingSerializer(allow_null=True, help_text="Your active booking.")
    waitlist_entry = OwnWaitlistEntrySerializer(allow_null=True, help_text="Your place in its queue.")
    online_url = serializers.CharField(
        allow_null=True, help_text="The link to join by: with a confirmed booking, and for those who run the event."
    )


def eligibility_body(found: Eligibility) -> dict[str, Any]:
    booking = found.booking
    return {
        "event": found.event.pk,
        "is_eligible": found.refusal is None,
        "reason": found.refusal.code if found.refusal else None,
        "detail": found.refusal.detail if found.refusal else "",
        "ticket_types": [
            {
                "ticket_type": of_type.kind.pk,
                "is_eligible": of_type.refusal is None,
                "reason": of_type.refusal.code if of_type.refusal else None,
                "seats_left": of_type.seats_left,
                "max_seats": of_type.max_seats,
                "can_join_waitlist": of_type.can_join_waitlist,
            }
            for of_type in found.types
        ],
        "booking": OwnBookingSerializer(booking).data if booking else None,
        "waitlist_entry": _entry_body(found),
        "online_url": found.online_url,
    }


def _entry_body(found: Eligibility) -> dict[str, Any] | None:
    entry = found.waitlist_entry
    if entry is None:
        return None
    return {
        "id": entry.pk,
        "ticket_type": entry.ticket_type_id,
        "seats": entry.seats,
        "status": entry.status,
        "position": found.position,
        "offer_expires_at": moment_text(entry.offer_expires_at) if entry.offer_expires_at else None,
    }
