"""What happened to money, for this app's own workers and for higher apps.

Sent inside the transaction that made the change.
"""

from django.dispatch import Signal

payment_requested = Signal()  # payment, now
payment_completed = Signal()  # payment, now
payment_failed = Signal()  # payment, now
refund_requested = Signal()  # refund, now
refund_completed = Signal()  # refund, now
refund_failed = Signal()  # refund, now: its gateway refused it, or it was given up
refund_left_to_people = Signal()  # refund, now: no machine can give it back
invoice_requested = Signal()  # request, now
invoice_issued = Signal()  # invoice, now
callback_received = Signal()  # callback
mock_gateway_spoke = Signal()  # message
