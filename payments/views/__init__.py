"""Money over HTTP. Nobody edits or deletes any of it."""

from payments.views.callbacks import CallbackViewSet
from payments.views.invoices import InvoiceViewSet
from payments.views.payments import BookingPaymentViewSet, PaymentViewSet
from payments.views.refunds import RefundViewSet

__all__ = ["BookingPaymentViewSet", "CallbackViewSet", "InvoiceViewSet", "PaymentViewSet", "RefundViewSet"]
