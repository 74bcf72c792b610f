"""The shape of bookings in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.models import Booking
from bookings.serializers.tickets import TicketSerializer
from bookings.services.booking import BookingRequest, TicketRequest
from eventhub_config.shared import money
from eventhub_config.shared.fields import ModelSerializer, MomentField, MoneyField, moment_text
from eventhub_config.shared.validators import validate_single_line


class SpecialRequirementsSerializer(serializers.Serializer[Any]):
    dietary = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    accessibility = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    other = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    name: {"type": "string", "maxLength": 500} for name in ("dietary", "accessibility", "other")
                },
            },
            {"type": "string", "maxLength": 500, "description": "Taken as `other`."},
        ]
    }
)
class RequirementsGivenSerializer(SpecialRequirementsSerializer):
    """As they are sent: by kind, or as a plain text."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"other": data} if isinstance(data, str) else data)


class BillingSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")
    company = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    city = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    country = serializers.RegexField(
        r"^[A-Z]{2}$",
        required=False,
        allow_blank=True,
        default="",
        error_messages={"invalid": "Send the two capital letters of ISO 3166-1, such as DE."},
    )
    tax_id = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class BookingSerializer(ModelSerializer):
    """A booking with its tickets."""

    # Built by hand below: it answers the hottest write of the API.

    user = serializers.IntegerField(
        source="user_id",
        allow_null=True,
        help_text="Null for those who run the event, if it was they who invited this person.",
    )
    total_amount = MoneyField()
    amount_due = MoneyField(help_text="What is owed for it: the price, or what a cancellation retains.")
    refund_until = MomentField(help_text="Later cancellations by the attendee give nothing back.")
    free_cancellation_until = MomentField(
        allow_null=True,
        help_text="The event was moved: until then the attendee gets everything back, whatever the policy.",
    )
    special_requirements = SpecialRequirementsSerializer()
    billing = BillingSerializer()
    tickets = TicketSerializer(many=True)

    class Meta:
        model = Booking
        fields = [
            "id", "reference", "event", "user", "status", "seats", "total_amount", "amount_due", "currency",
            "refund_policy", "refund_percent", "refund_until", "free_cancellation_until",
            "special_requirements", "billing", "expires_at", "tickets",
            "created_at", "confirmed_at", "cancelled_at", "cancellation_reason", "waiver_reason", "invited_as",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, booking: Booking) -> dict[str, Any]:
        currency = booking.currency
        return {
            "id": booking.pk,
            "reference": booking.reference,
            "event": booking.event_id,
            "user": None if booking.invited_as and not self._is_for_holder(booking) else booking.user_id,
            "status": booking.status,
            "seats": booking.seats,
            "total_amount": money.as_text(booking.total_amount, currency),
            "amount_due": money.as_text(booking.amount_due, currency),
            "currency": currency,
            "refund_policy": booking.refund_policy,
            "refund_percent": booking.refund_percent,
            "refund_until": moment_text(booking.refund_until),
            "free_cancellation_until": (
                moment_text(booking.free_cancellation_until) if booking.free_cancellation_until else None
            ),
            "special_requirements": NO_REQUIREMENTS | booking.special_requirements,
            "billing": NO_BILLING | booking.billing,
            "expires_at": moment_text(booking.expires_at) if booking.expires_at else None,
            "tickets": [
                {
                    "id": ticket.pk,
                    "code": ticket.code,
                    "ticket_type": ticket.ticket_type_id,
                    "attendee_name": ticket.attendee_name,
                    "attendee_email": ticket.attendee_email,
                    "price": money.as_text(ticket.price, currency),
                    "status": ticket.status,
                    "checked_in_at": moment_text(ticket.checked_in_at) if ticket.checked_in_at else None,
                }
                for ticket in booking.tickets_in_order()
            ],
            "created_at": moment_text(booking.created_at),
            "confirmed_at": moment_text(booking.confirmed_at) if booking.confirmed_at else None,
            "cancelled_at": moment_text(booking.cancelled_at) if booking.cancelled_at else None,
            "cancellation_reason": booking.cancellation_reason,
            "waiver_reason": booking.waiver_reason,
            "invited_as": booking.invited_as,
        }

    def _is_for_holder(self, booking: Booking) -> bool:
        """Return whether the account behind an invited booking may be told: to itself and to administrators."""
        reader = self.context["request"].user
        return bool(reader.pk == booking.user_id or reader.is_platform_admin)


NO_REQUIREMENTS = dict.fromkeys(SpecialRequirementsSerializer().fields, "")


NO_BILLING = dict.fromkeys(BillingSerializer().fields, "")


class TicketRequestSerializer(serializers.Serializer[Any]):
    """Some seats of one type. A name is for one seat."""

    ticket_type = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=1)
    attendee_name = serializers.CharField(
        max_length=160, required=False, allow_blank=True, default="", validators=[validate_single_line]
    )
    attendee_email = serializers.EmailField(required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["quantity"] > 1 and (attrs["attendee_name"] or attrs["attendee_email"]):
            message = "A name is for one seat: list named seats one by one."
            raise serializers.ValidationError({"attendee_name": [message]}, code="ambiguous")
        return attrs


class BookingCreateSerializer(serializers.Serializer[Any]):
    """`{"event": 5}` alone books one ticket of the event's first type on sale."""

    event = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    tickets: Any = serializers.ListSerializer(
        child=TicketRequestSerializer(), required=False, allow_empty=False, max_length=100
    )
    special_requirements = RequirementsGivenSerializer(required=False)
    billing = BillingSerializer(required=False)

    def as_request(self) -> BookingRequest:
        values = self.validated_data
        return BookingRequest(
            event_id=values["event"],
            tickets=[TicketRequest(**ticket) for ticket in values.get("tickets", [])],
            special_requirements=values.get("special_requirements", {}),
            billing=values.get("billing", {}),
        )


class CancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
