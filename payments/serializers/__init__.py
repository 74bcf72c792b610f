"""The shape of money in the API."""

from payments.serializers.invoices import InvoiceSerializer
from payments.serializers.payments import PaymentCreateSerializer, PaymentRecordSerializer, PaymentSerializer
from payments.serializers.refunds import PaidByHandSerializer, RefundCreateSerializer, RefundSerializer

__all__ = [
    "InvoiceSerializer",
    "PaidByHandSerializer",
    "PaymentCreateSerializer",
    "PaymentRecordSerializer",
    "PaymentSerializer",
    "RefundCreateSerializer",
    "RefundSerializer",
]
