"""Refunds in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared.fields import ModelSerializer, MoneyField
from eventhub_config.shared.validators import validate_single_line
from payments.models import Refund


class RefundSerializer(ModelSerializer):
    amount = MoneyField(currency_source="payment.currency")
    booking = serializers.IntegerField(source="payment.booking_id", read_only=True)
    currency = serializers.CharField(source="payment.currency", read_only=True)
    is_given_up = serializers.SerializerMethodField(
        help_text="It failed, or was tried too often: those who run the event have to do something about it."
    )

    class Meta:
        model = Refund
        fields = [
            "id", "payment", "booking", "amount", "currency", "reason", "status", "failure_code", "is_given_up",
            "by_hand_note", "created_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"failure_code": {"help_text": "Why it failed, in the gateway's word."}}

    def get_is_given_up(self, refund: Refund) -> bool:
        return refund.parked_at is not None


class RefundCreateSerializer(serializers.Serializer[Any]):
    amount = MoneyField(
        required=False,
        allow_null=True,
        default=None,
        help_text="In the payment's currency; left out: all that is left of the payment.",
    )
    reason = serializers.CharField(
        max_length=255, validators=[validate_single_line], help_text="Shown to whoever paid, on the credit note too."
    )


class PaidByHandSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(
        max_length=255,
        validators=[validate_single_line],
        help_text="How the money went back, such as in cash. Whoever booked can read it.",
    )
