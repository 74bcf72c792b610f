"""The shape of a ticket that is read by itself, with what the door has to know of its booking."""

from typing import Any

from rest_framework import serializers

from bookings.models import Booking, Ticket
from bookings.serializers.bookings import NO_REQUIREMENTS, SpecialRequirementsSerializer
from bookings.serializers.door import PersonAtDoorSerializer
from eventhub_config.shared import money
from eventhub_config.shared.fields import MomentField, MoneyField, moment_text


class TicketDetailSerializer(serializers.Serializer[Any]):
    """A ticket with what has to be known of its booking."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    event = serializers.IntegerField()
    booking = serializers.IntegerField()
    booking_reference = serializers.CharField()
    booking_status = serializers.ChoiceField(choices=Booking.Status.choices)
    ticket_type = serializers.IntegerField()
    ticket_type_name = serializers.CharField()
    attendee_name = serializers.CharField(allow_blank=True)
    attendee_email = serializers.CharField(allow_blank=True)
    holder_name = serializers.CharField(help_text="The attendee's name if it was given; else that of whoever booked.")
    price = MoneyField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=Ticket.Status.choices)
    checked_in_at = MomentField(allow_null=True)
    checked_in_by = PersonAtDoorSerializer(allow_null=True, help_text="Null for attendees.")
    special_requirements = SpecialRequirementsSerializer(help_text="Of the whole booking.")

    def to_representation(self, ticket: Ticket) -> dict[str, Any]:
        booking = ticket.booking
        by = ticket.checked_in_by if ticket.checked_in_by_id and self._is_for_organizer(ticket) else None
        return {
            "id": ticket.pk,
            "code": ticket.code,
            "event": booking.event_id,
            "booking": booking.pk,
            "booking_reference": booking.reference,
            "booking_status": booking.status,
            "ticket_type": ticket.ticket_type_id,
            "ticket_type_name": ticket.ticket_type.name,
            "attendee_name": ticket.attendee_name,
            "attendee_email": ticket.attendee_email,
            "holder_name": ticket.holder_name,
            "price": money.as_text(ticket.price, booking.currency),
            "currency": booking.currency,
            "status": ticket.status,
            "checked_in_at": moment_text(ticket.checked_in_at) if ticket.checked_in_at else None,
            "checked_in_by": {"id": by.pk, "name": by.display_name} if by else None,
            "special_requirements": NO_REQUIREMENTS | booking.special_requirements,
        }

    def _is_for_organizer(self, ticket: Ticket) -> bool:
        reader = self.context["request"].user
        return bool(ticket.checked_in_by_id == reader.pk or ticket.booking.event.is_run_by(reader))
