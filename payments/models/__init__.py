"""Money: payments, refunds, and the invoices that tell of them."""

from payments.models.callbacks import GatewayCallback
from payments.models.invoices import Invoice, InvoiceDocument, InvoiceImmutable, InvoiceRequest, InvoiceSeries
from payments.models.mock_gateway import MockGatewayEntry, MockGatewayMessage
from payments.models.payments import Payment, Refund

__all__ = [
    "GatewayCallback",
    "Invoice",
    "InvoiceDocument",
    "InvoiceImmutable",
    "InvoiceRequest",
    "InvoiceSeries",
    "MockGatewayEntry",
    "MockGatewayMessage",
    "Payment",
    "Refund",
]
