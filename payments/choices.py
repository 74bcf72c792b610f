"""The choices that front ends can ask ``/api/meta/`` for."""

from payments.models import Invoice, Payment, Refund

CHOICES = {
    "payment.status": Payment.Status,
    "payment.method": Payment.Method,
    "refund.status": Refund.Status,
    "invoice.kind": Invoice.Kind,
}
