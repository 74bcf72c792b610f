"""Figures about an event's money."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from rest_framework import serializers

from eventhub_config.shared import money
from eventhub_config.shared.statistics_sections import Section
from payments.models import Payment, Refund


class CurrencyRevenueSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    received = serializers.CharField()
    refunded = serializers.CharField(help_text="What arrived again at those who had paid.")
    refunds_on_their_way = serializers.CharField()
    kept = serializers.CharField(help_text="What will be left when all refunds on their way have arrived.")


class PaymentStatisticsSerializer(serializers.Serializer[Any]):
    revenue = CurrencyRevenueSerializer(many=True, help_text="One entry for each currency that was paid in.")
    failed = serializers.IntegerField(help_text="Payments that failed.")
    failed_refunds = serializers.IntegerField(help_text="Refunds that failed, or were given up: they need a person.")


def of_event(event_id: int) -> dict[str, Any]:
    payments = Payment.objects.filter(booking__event_id=event_id).order_by()
    refunds = Refund.objects.filter(payment__booking__event_id=event_id).order_by()
    waiting = Q(status__in=[Refund.Status.REQUESTED, Refund.Status.PROCESSING])
    back = refunds.values_list("payment__currency").annotate(
        under_way=Sum("amount", filter=waiting, default=money.ZERO),
        stuck=Count("pk", filter=Q(parked_at__isnull=False)),
    )
    under_way, stuck = {}, 0
    for currency, amount, count in back:
        under_way[currency] = amount
        stuck += count
    sums = payments.taken().values_list("currency").annotate(Sum("amount"), Sum("refunded_amount"))
    return {
        "revenue": [
            _revenue(currency, received, refunded, under_way.get(currency, money.ZERO))
            for currency, received, refunded in sums.order_by("currency")
        ],
        "failed": payments.filter(status=Payment.Status.FAILED).count(),
        "failed_refunds": stuck,
    }


def _revenue(currency: str, received: Decimal, refunded: Decimal, under_way: Decimal) -> dict[str, str]:
    amounts = {
        "received": received,
        "refunded": refunded,
        "refunds_on_their_way": under_way,
        "kept": received - refunded - under_way,
    }
    return {"currency": currency} | {name: money.as_text(amount, currency) for name, amount in amounts.items()}


STATISTICS = Section("payments", PaymentStatisticsSerializer, of_event)
