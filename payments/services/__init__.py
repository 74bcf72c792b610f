"""What can be done with money."""

from payments.services.calling_back import process_callback, take_callback
from payments.services.charging import process_payment, record_charge, start_payment, time_out_payment
from payments.services.giving_back import refund_payment
from payments.services.invoice_papers import mark_as_sent
from payments.services.invoicing import issue_invoice, request_invoice
from payments.services.refunding import refund_surplus, request_refund, send_refund
from payments.services.settling import cancel_open_payments
from payments.services.taking_by_hand import record_payment
from payments.services.trying_again import (
    mark_refund_as_paid,
    retry_callback,
    retry_invoice,
    retry_payment,
    retry_refund,
)

__all__ = [
    "cancel_open_payments",
    "issue_invoice",
    "mark_as_sent",
    "mark_refund_as_paid",
    "process_callback",
    "process_payment",
    "record_charge",
    "record_payment",
    "refund_payment",
    "refund_surplus",
    "request_invoice",
    "request_refund",
    "retry_callback",
    "retry_invoice",
    "retry_payment",
    "retry_refund",
    "send_refund",
    "start_payment",
    "take_callback",
    "time_out_payment",
]
