"""What happened to money, for this app's own workers and for higher apps.

Sent inside the transaction that made the change.
"""

from django.dispatch import Signal

payment_requested = Signal()  # payment, now
payment_completed = Signal()  # payment, now
payment_failed = Signal()  # payment, now
refund_requested = Signal()  # refund, now
refund_completed = Signal()  # refund, now
invoice_requested = Signal()  # request, now
invoice_issued = Signal()  # invoice, now
