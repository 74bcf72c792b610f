"""What happened to messages, for this app's own worker. Sent inside the transaction that made the change."""

from django.dispatch import Signal

message_owed = Signal()  # notification_id
