"""Plain ModelSerializers with the same fields as Event Hub's answers."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from prototype.models import Booking, Event, Ticket, TicketType


class OrganizerSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="get_full_name")

    class Meta:
        model = User
        fields = ["id", "name"]


class TicketTypeSerializer(serializers.ModelSerializer[TicketType]):
    class Meta:
        model = TicketType
        fields = [
            "id", "event", "name", "description", "price", "quantity", "seats_taken", "seats_left",
            "sales_start_at", "sales_end_at", "min_per_booking", "max_per_booking", "is_visible", "position",
        ]  # fmt: skip


class EventSerializer(serializers.ModelSerializer[Event]):
    organizer = OrganizerSerializer()
    ticket_types = TicketTypeSerializer(many=True)
    price = serializers.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        model = Event
        fields = [
            "id", "slug", "version", "organizer", "title", "summary", "description", "category", "status", "format",
            "venue_name", "address", "city", "country", "latitude", "longitude",
            "starts_at", "ends_at", "timezone", "registration_deadline",
            "capacity", "seats_taken", "seats_left", "is_bookable", "unavailable_reason",
            "price", "currency", "tax_rate", "ticket_types", "skills", "hours", "language",
            "attendance_rule", "refund_policy", "refund_until", "refund_percent", "cancellation_reason",
            "average_rating", "review_count", "created_at", "updated_at",
        ]  # fmt: skip


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    class Meta:
        model = Ticket
        fields = ["id", "code", "ticket_type", "attendee_name", "attendee_email", "price", "status", "checked_in_at"]


class BookingSerializer(serializers.ModelSerializer[Booking]):
    tickets = TicketSerializer(many=True, source="made_tickets")

    class Meta:
        model = Booking
        fields = [
            "id", "reference", "event", "user", "status", "seats", "total_amount", "amount_due", "currency",
            "special_requirements", "billing", "expires_at", "tickets",
            "created_at", "confirmed_at", "cancelled_at", "cancellation_reason",
        ]  # fmt: skip


class CheckInSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()


class TicketRequestSerializer(serializers.Serializer[Any]):
    ticket_type = serializers.IntegerField()
    attendee_name = serializers.CharField(required=False)
    attendee_email = serializers.EmailField(required=False)


class BookingCreateSerializer(serializers.Serializer[Any]):
    event = serializers.IntegerField()
    tickets = TicketRequestSerializer(many=True)
