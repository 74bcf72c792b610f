"""What must always hold for messages."""

from collections.abc import Iterator

from django.db.models import CharField, Count, Exists, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from eventhub_config.shared.integrity import CHUNK, Check, wrong
from notifications.models import Notification
from payments.models import Invoice, Payment, Refund

Status = Notification.Status


def _told_twice() -> Iterator[tuple[str, str]]:
    keys = Notification.objects.order_by("dedupe_key").values_list("dedupe_key").annotate(times=Count("id"))
    for key, times in keys.filter(times__gt=1).iterator(chunk_size=CHUNK):
        yield f"occasion {key}", f"has {times} messages"


def _sent_at_no_time() -> Iterator[tuple[str, str]]:
    torn = Q(status=Status.SENT, sent_at=None) | ~Q(status=Status.SENT) & Q(sent_at__isnull=False)
    for notification in wrong(Notification.objects.all(), torn):
        yield f"notification {notification.pk}", f"is {notification.status}; sent at: {notification.sent_at or 'never'}"


def _owed_but_never_due() -> Iterator[tuple[str, str]]:
    lost = Q(next_attempt_at=None) | Q(parked_at__isnull=False)
    for notification in wrong(Notification.objects.filter(status__in=Notification.OWED), lost):
        yield f"notification {notification.pk}", f"is {notification.status}, but no sweep will find it"


def _given_up_unseen() -> Iterator[tuple[str, str]]:
    for notification in wrong(Notification.objects.all(), Q(status=Status.FAILED, parked_at=None)):
        yield f"notification {notification.pk}", "was given up without being parked"


def _read_at_no_time() -> Iterator[tuple[str, str]]:
    for notification in wrong(
        Notification.objects.all(), Q(is_read=True, read_at=None) | Q(is_read=False, read_at__isnull=False)
    ):
        yield (
            f"notification {notification.pk}",
            f"is read: {notification.is_read}; at: {notification.read_at or 'never'}",
        )


def _never_told() -> Iterator[tuple[str, str]]:
    """Look for money that moved without a word to whom it belongs."""
    occasions: list[tuple[str, QuerySet[Model]]] = [
        ("refund.completed", Refund.objects.filter(status=Refund.Status.COMPLETED)),
        ("payment.failed", Payment.objects.filter(status=Payment.Status.FAILED)),
        ("invoice.issued", Invoice.objects.all()),
    ]
    for name, rows in occasions:
        key = Concat(Value(f"{name}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
        for row in wrong(rows.filter(~Exists(Notification.objects.filter(dedupe_key=key)))):
            yield f"{row._meta.verbose_name} {row}", f"nobody was told ({name})"


CHECKS = [
    Check(
        "messages_once",
        "One message per person and occasion.",
        _told_twice,
        "See how the constraint came to be missing; what was sent twice cannot be taken back.",
    ),
    Check(
        "messages_sent_at",
        "What was sent says when, and nothing else does.",
        _sent_at_no_time,
        "The mail server's log says whether it was sent.",
    ),
    Check(
        "messages_found",
        "What is owed will be found by the sweep.",
        _owed_but_never_due,
        "Send it anew in the back office.",
    ),
    Check(
        "messages_parked",
        "What was given up is parked, where people see it.",
        _given_up_unseen,
        "Send it anew in the back office.",
    ),
    Check(
        "messages_read",
        "What was read says when, and nothing else does.",
        _read_at_no_time,
        "Mark it as not read.",
    ),
    Check(
        "messages_told",
        "Whoever's money moved, or did not, is told.",
        _never_told,
        "Tell the person, and find out which receiver did not run.",
    ),
]
