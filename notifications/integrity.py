"""What must always hold for messages."""

from collections.abc import Iterator

from django.db.models import Count, Q

from eventhub_config.shared.integrity import Check
from notifications.models import Notification

Status = Notification.Status


def _told_twice() -> Iterator[tuple[str, str]]:
    keys = Notification.objects.order_by("dedupe_key").values_list("dedupe_key").annotate(times=Count("id"))
    for key, times in keys.filter(times__gt=1):
        yield f"occasion {key}", f"has {times} messages"


def _sent_at_no_time() -> Iterator[tuple[str, str]]:
    wrong = Q(status=Status.SENT, sent_at=None) | ~Q(status=Status.SENT) & Q(sent_at__isnull=False)
    for notification in Notification.objects.filter(wrong).order_by("pk"):
        yield f"notification {notification.pk}", f"is {notification.status}; sent at: {notification.sent_at or 'never'}"


def _owed_but_never_due() -> Iterator[tuple[str, str]]:
    lost = Q(next_attempt_at=None) | Q(parked_at__isnull=False)
    for notification in Notification.objects.filter(lost, status__in=Notification.OWED).order_by("pk"):
        yield f"notification {notification.pk}", f"is {notification.status}, but no sweep will find it"


def _given_up_unseen() -> Iterator[tuple[str, str]]:
    for notification in Notification.objects.filter(status=Status.FAILED, parked_at=None).order_by("pk"):
        yield f"notification {notification.pk}", "was given up without being parked"


CHECKS = [
    Check("messages_once", "One message per person and occasion.", _told_twice),
    Check("messages_sent_at", "What was sent says when, and nothing else does.", _sent_at_no_time),
    Check("messages_found", "What is owed will be found by the sweep.", _owed_but_never_due),
    Check("messages_parked", "What was given up is parked, where people see it.", _given_up_unseen),
]
