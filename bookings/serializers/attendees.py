"""The shape of an event's attendees, for those who run it."""

from typing import Any

from rest_framework import serializers

from bookings.models import Booking, Ticket
from bookings.serializers.bookings import NO_REQUIREMENTS, SpecialRequirementsSerializer
from eventhub_config.shared.fields import MomentField, moment_text


class AttendeeUserSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True, help_text="Null: somebody whom the organizer invited.")
    name = serializers.CharField()


class AttendeeBookingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=Booking.Status.choices)
    user = AttendeeUserSerializer()
    special_requirements = SpecialRequirementsSerializer()
    created_at = MomentField()


class AttendeeSerializer(serializers.Serializer[Any]):
    """A ticket with its holder, for those who run the event."""

    id = serializers.IntegerField(help_text="The ticket's.")
    code = serializers.CharField()
    ticket_type = serializers.IntegerField()
    attendee_name = serializers.CharField(allow_blank=True)
    attendee_email = serializers.CharField(help_text="As given for this ticket; else that of whoever booked it.")
    status = serializers.ChoiceField(choices=Ticket.Status.choices)
    checked_in_at = MomentField(allow_null=True)
    booking = AttendeeBookingSerializer()

    def to_representation(self, ticket: Ticket) -> dict[str, Any]:
        booking = ticket.booking
        return {
            "id": ticket.pk,
            "code": ticket.code,
            "ticket_type": ticket.ticket_type_id,
            "attendee_name": ticket.attendee_name,
            "attendee_email": ticket.attendee_email or booking.holder_email,
            "status": ticket.status,
            "checked_in_at": moment_text(ticket.checked_in_at) if ticket.checked_in_at else None,
            "booking": {
                "id": booking.pk,
                "reference": booking.reference,
                "status": booking.status,
                "user": {"id": None if booking.invited_as else booking.user_id, "name": booking.holder_name},
                "special_requirements": NO_REQUIREMENTS | booking.special_requirements,
                "created_at": moment_text(booking.created_at),
            },
        }
