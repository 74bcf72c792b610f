"""The periodic work of notifications."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from eventhub_config.shared.periodic import Sweep
from notifications import services, tasks
from notifications.models import Notification


def messages_to_send(now: datetime) -> QuerySet[Any, int]:
    due = Notification.objects.filter(Notification.due(now)).order_by("next_attempt_at", "pk")
    return due.values_list("pk", flat=True)


JOBS = [
    Sweep(
        name="sweep_messages",
        every=timedelta(minutes=1),
        find=messages_to_send,
        work=lambda notification_id, now: services.deliver(notification_id=notification_id, now=now),
        task=tasks.deliver_message,
        argument="notification_id",
    ),
]
