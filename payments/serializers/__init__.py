"""The shape of money in the API."""

from payments.serializers.invoices import InvoiceSerializer
from payments.serializers.payments import PaymentCreateSerializer, PaymentSerializer
from payments.serializers.refunds import RefundCreateSerializer, RefundSerializer

__all__ = [
    "InvoiceSerializer",
    "PaymentCreateSerializer",
    "PaymentSerializer",
    "RefundCreateSerializer",
    "RefundSerializer",
]
