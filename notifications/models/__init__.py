"""What people are told. One module per topic; they do not import one another."""

from notifications.models.delivery import Notification

__all__ = ["Notification"]
