"""What happened to users, for higher apps to hear. Sent inside the transaction that made the change."""

from django.dispatch import Signal

# Sent with `user`, a CustomUser.
user_registered = Signal()
