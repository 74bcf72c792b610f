"""Money: payments, refunds, and the invoices that tell of them."""

from payments.models.invoices import Invoice, InvoiceRequest, InvoiceSeries
from payments.models.ledger import MockGatewayEntry
from payments.models.payments import Payment, Refund

__all__ = ["Invoice", "InvoiceRequest", "InvoiceSeries", "MockGatewayEntry", "Payment", "Refund"]
