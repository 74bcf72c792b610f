"""Refunds in the API."""

from typing import Any

from rest_framework import serializers

from eventhub_config.shared.fields import ModelSerializer, MoneyField
from eventhub_config.shared.validators import validate_single_line
from payments.models import Refund


class RefundSerializer(ModelSerializer):
    amount = MoneyField(currency_source="payment.currency")

    class Meta:
        model = Refund
        fields = ["id", "payment", "amount", "reason", "status", "created_at", "completed_at"]
        read_only_fields = fields


class RefundCreateSerializer(serializers.Serializer[Any]):
    amount = MoneyField(
        required=False,
        allow_null=True,
        default=None,
        help_text="In the payment's currency; left out: all that is left of the payment.",
    )
    reason = serializers.CharField(
        max_length=255, validators=[validate_single_line], help_text="Told to whoever paid, and kept with the refund."
    )
