"""Invoices and credit notes."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from payments.filters import InvoiceFilter
from payments.models import Invoice
from payments.serializers import InvoiceSerializer
from payments.views.money import MoneyViewSet


@extend_schema_view(
    list=extend_schema(summary="List invoices and credit notes"), retrieve=extend_schema(summary="Read an invoice")
)
class InvoiceViewSet(MoneyViewSet):
    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.visible_to(self.caller).order_by("-issued_at", "-pk")
