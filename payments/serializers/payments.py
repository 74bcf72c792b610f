"""Payments in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from eventhub_config.shared.fields import ChoiceField, ModelSerializer, MoneyField
from eventhub_config.shared.validators import validate_single_line
from payments.models import Payment

# Cash is for people: they record it when they have it.
AT_A_GATEWAY = [choice for choice in Payment.Method.choices if choice[0] != Payment.Method.CASH]


class NextActionSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    url = serializers.URLField()


class PaymentSerializer(ModelSerializer):
    amount = MoneyField()
    refunded_amount = MoneyField(help_text="What arrived again; refunds on their way are not in it.")
    next_action = serializers.SerializerMethodField(
        help_text="What the person has to do at the gateway; null: nothing."
    )

    class Meta:
        model = Payment
        fields = [
            "id", "booking", "amount", "currency", "status", "method", "gateway", "gateway_reference",
            "next_action", "failure_code", "refunded_amount", "note", "created_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"failure_code": {"help_text": "Why it failed, in the gateway's word; or `wrong_amount`."}}

    @extend_schema_field(NextActionSerializer(allow_null=True))
    def get_next_action(self, payment: Payment) -> dict[str, str] | None:
        waits_for_the_person = payment.next_action_url and payment.status in Payment.OPEN
        return {"type": "redirect", "url": payment.next_action_url} if waits_for_the_person else None


class PaymentCreateSerializer(serializers.Serializer[Any]):
    booking = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    method = ChoiceField(choices=AT_A_GATEWAY, required=False, default=Payment.Method.CARD)
    token = serializers.CharField(
        max_length=80,
        required=False,
        allow_blank=True,
        default="",
        help_text="From the gateway. The mock gateway's test tokens stand in the guide, under `Trying out payments`.",
    )


class PaymentRecordSerializer(serializers.Serializer[Any]):
    method = ChoiceField(choices=Payment.Method.choices)
    note = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        default="",
        validators=[validate_single_line],
        help_text="Such as the number of the receipt. Whoever booked can read it.",
    )
