"""Notifications over HTTP. One module per topic; they do not import one another."""

from notifications.views.delivery import NotificationViewSet

__all__ = ["NotificationViewSet"]
