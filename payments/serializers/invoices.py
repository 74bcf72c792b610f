"""Invoices and credit notes in the API."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from bookings.serializers import BillingSerializer
from eventhub_config.shared.fields import ModelSerializer, MoneyField
from payments.models import Invoice


class InvoiceLineSerializer(serializers.Serializer[Any]):
    description = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.CharField(help_text="With tax, as it was sold.")
    total = serializers.CharField(help_text="With tax.")
    unit_price_net = serializers.CharField(read_only=True, default="", help_text="Without tax.")
    net = serializers.CharField(read_only=True, default="", help_text="Without tax; together they are the `subtotal`.")
    tax = serializers.CharField(read_only=True, default="")


class SellerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    tax_id = serializers.CharField(allow_blank=True)


class SupplySerializer(serializers.Serializer[Any]):
    """What was sold, and how it was paid. Empty on invoices from before this was kept."""

    event = serializers.CharField(read_only=True, default="")
    starts_at = serializers.DateTimeField(read_only=True, default=None, allow_null=True)
    ends_at = serializers.DateTimeField(read_only=True, default=None, allow_null=True)
    timezone = serializers.CharField(read_only=True, default="")
    place = serializers.CharField(read_only=True, default="")
    booking_reference = serializers.CharField(read_only=True, default="")
    method = serializers.CharField(read_only=True, default="")
    paid_at = serializers.DateTimeField(read_only=True, default=None, allow_null=True)
    refunded_at = serializers.DateTimeField(read_only=True, default=None, allow_null=True)
    reason = serializers.CharField(read_only=True, default="", help_text="Of a credit note.")
    corrects_number = serializers.CharField(read_only=True, default="", help_text="Of a credit note.")
    corrects_issued_at = serializers.DateTimeField(read_only=True, default=None, allow_null=True)


class InvoiceSerializer(ModelSerializer):
    subtotal = MoneyField(min_value=None)
    tax = MoneyField(min_value=None)
    total = MoneyField(min_value=None)
    tax_rate = serializers.DecimalField(
        max_digits=5, decimal_places=2, read_only=True, allow_null=True, help_text="In percent; the total includes it."
    )
    lines = InvoiceLineSerializer(many=True)
    seller = SellerSerializer()
    billing = BillingSerializer()
    supply = SupplySerializer()
    pdf = serializers.SerializerMethodField(help_text="The path of the document.")
    pdf_sha256 = serializers.CharField(read_only=True, help_text="Empty until the document of an old invoice is made.")

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
            "tax_rate",
            "tax",
            "total",
            "lines",
            "seller",
            "billing",
            "supply",
            "pdf",
            "pdf_sha256",
            "sent_at",
        ]
        read_only_fields = fields

    def get_pdf(self, invoice: Invoice) -> str:
        return reverse("invoice-pdf", args=[invoice.pk])
