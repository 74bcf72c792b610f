"""Money in the admin: looked at, never added, edited or deleted here."""

from payments.admin.callbacks import GatewayCallbackAdmin
from payments.admin.invoices import InvoiceAdmin, InvoiceDocumentAdmin, InvoiceRequestAdmin, InvoiceSeriesAdmin
from payments.admin.mock_gateway import MockGatewayEntryAdmin, MockGatewayMessageAdmin
from payments.admin.payments import PaymentAdmin
from payments.admin.refunds import RefundAdmin

__all__ = [
    "GatewayCallbackAdmin",
    "InvoiceAdmin",
    "InvoiceDocumentAdmin",
    "InvoiceRequestAdmin",
    "InvoiceSeriesAdmin",
    "MockGatewayEntryAdmin",
    "MockGatewayMessageAdmin",
    "PaymentAdmin",
    "RefundAdmin",
]
