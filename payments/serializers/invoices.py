"""Invoices and credit notes in the API."""

from typing import Any

from rest_framework import serializers

from bookings.serializers import BillingSerializer
from eventhub_config.shared.fields import ModelSerializer, MoneyField
from payments.models import Invoice


class InvoiceLineSerializer(serializers.Serializer[Any]):
    description = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.CharField()
    total = serializers.CharField()


class SellerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    tax_id = serializers.CharField(allow_blank=True)


class InvoiceSerializer(ModelSerializer):
    subtotal = MoneyField(min_value=None)
    tax = MoneyField(min_value=None)
    total = MoneyField(min_value=None)
    lines = InvoiceLineSerializer(many=True)
    seller = SellerSerializer()
    billing = BillingSerializer()

    class Meta:
        model = Invoice
        fields = [
            "id",
            "number",
            "payment",
            "booking",
            "kind",
            "corrects",
            "issued_at",
            "currency",
            "subtotal",
            "tax",
            "total",
            "lines",
            "seller",
            "billing",
            "sent_at",
        ]
        read_only_fields = fields
