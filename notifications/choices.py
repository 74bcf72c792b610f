"""The choices that front ends can ask ``/api/meta/`` for."""

from notifications.models import Notification

CHOICES = {"notification.type": Notification.Type}
