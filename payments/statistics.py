"""Figures about an event's money."""

from typing import Any

from django.db.models import Sum
from rest_framework import serializers

from eventhub_config.shared import money
from eventhub_config.shared.statistics_sections import Section
from payments.models import Payment


class CurrencyRevenueSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    received = serializers.CharField()
    refunded = serializers.CharField()
    kept = serializers.CharField()


class PaymentStatisticsSerializer(serializers.Serializer[Any]):
    revenue = CurrencyRevenueSerializer(many=True, help_text="One entry for each currency that was paid in.")
    failed = serializers.IntegerField(help_text="Payments that failed.")


def of_event(event_id: int) -> dict[str, Any]:
    payments = Payment.objects.filter(booking__event_id=event_id).order_by()
    sums = payments.taken().values("currency").annotate(received=Sum("amount"), refunded=Sum("refunded_amount"))
    return {
        "revenue": [
            {
                "currency": row["currency"],
                "received": money.as_text(row["received"], row["currency"]),
                "refunded": money.as_text(row["refunded"], row["currency"]),
                "kept": money.as_text(row["received"] - row["refunded"], row["currency"]),
            }
            for row in sums.order_by("currency")
        ],
        "failed": payments.filter(status=Payment.Status.FAILED).count(),
    }


STATISTICS = Section("payments", PaymentStatisticsSerializer, of_event)
