"""The shape of tickets in the API."""

from bookings.models import Ticket
from eventhub_config.shared.fields import ModelSerializer, MoneyField


class TicketSerializer(ModelSerializer):
    """A ticket of a booking. `tickets/{id}/` tells more of it."""

    price = MoneyField(currency_source="booking.currency")

    class Meta:
        model = Ticket
        fields = ["id", "code", "ticket_type", "attendee_name", "attendee_email", "price", "status", "checked_in_at"]
        read_only_fields = fields
