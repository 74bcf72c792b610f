"""What can be done with money."""

from payments.services.charging import process_payment, record_charge, start_payment, time_out_payment
from payments.services.giving_back import refund_payment
from payments.services.invoicing import issue_invoice, request_invoice
from payments.services.refunding import refund_surplus, request_refund, send_refund
from payments.services.settling import cancel_open_payments

__all__ = [
    "cancel_open_payments",
    "issue_invoice",
    "process_payment",
    "record_charge",
    "refund_payment",
    "refund_surplus",
    "request_invoice",
    "request_refund",
    "send_refund",
    "start_payment",
    "time_out_payment",
]
