"""The shape of what is done to bookings at the desk: changes, confirmations by hand, and what a cancellation costs."""

from typing import Any

from rest_framework import serializers

from bookings.models import ATTENDEE_NAME_MAX_LENGTH, Booking
from bookings.serializers.bookings import BillingSerializer, RequirementsGivenSerializer
from bookings.services.closing import CancellationTerms
from bookings.services.terms import policy_text
from eventhub_config.shared import money
from eventhub_config.shared.fields import MomentField, MoneyField, moment_text
from eventhub_config.shared.validators import validate_single_line


class TicketChangeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Of a ticket of this booking.")
    attendee_name = serializers.CharField(
        max_length=ATTENDEE_NAME_MAX_LENGTH, required=False, allow_blank=True, validators=[validate_single_line]
    )
    attendee_email = serializers.EmailField(required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "id" not in attrs:  # the body as a whole is partial, and asks for nothing
            raise serializers.ValidationError({"id": ["Say which ticket."]}, code="required")
        return attrs


class BookingChangeSerializer(serializers.Serializer[Any]):
    """What is left out stays as it is, within `special_requirements` and `billing` too."""

    special_requirements = RequirementsGivenSerializer(required=False)
    billing = BillingSerializer(required=False)
    tickets: Any = serializers.ListSerializer(child=TicketChangeSerializer(), required=False, max_length=100)


class ConfirmSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=255, help_text="Why nothing is to be paid; kept with the booking.")


class CancellationSerializer(serializers.Serializer[Any]):
    """What cancelling a booking would do at this moment, if you did it."""

    is_allowed = serializers.BooleanField()
    reason = serializers.CharField(
        allow_null=True, help_text="The code that cancelling would be refused with; null if you can cancel."
    )
    detail = serializers.CharField(allow_blank=True, help_text="The same in words.")
    by_attendee = serializers.BooleanField(help_text="Whether the refund policy counts: not if you run the event.")
    paid_amount = MoneyField(help_text="What was paid and is due.")
    refund_amount = MoneyField(help_text="What of it goes back.")
    retained_amount = MoneyField(help_text="What is kept.")
    currency = serializers.CharField()
    policy = serializers.CharField(help_text="The terms in words, with times by the clock of the event.")
    until = MomentField(allow_null=True, help_text="The amounts stay as they are until then; null: for good.")


def cancellation_body(booking: Booking, terms: CancellationTerms) -> dict[str, Any]:
    currency, allowed = booking.currency, terms.refusal is None
    return {
        "is_allowed": allowed,
        "reason": terms.refusal.code if terms.refusal else None,
        "detail": terms.refusal.detail if terms.refusal else "",
        "by_attendee": terms.by_attendee,
        "paid_amount": money.as_text(terms.paid, currency),
        "refund_amount": money.as_text(terms.refunded if allowed else money.ZERO, currency),
        "retained_amount": money.as_text(terms.retained if allowed else terms.paid, currency),
        "currency": currency,
        "policy": policy_text(booking, terms),
        "until": moment_text(terms.until) if terms.until else None,
    }
