"""Messages to people: shown in the app, and sent by e-mail."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.shared.transitions import StatusModel
from users.models import CustomUser


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: CustomUser) -> "NotificationQuerySet":
        """Return the messages to this user; nobody reads those to others, administrators neither."""
        return self.filter(user_id=user.pk, in_app=True)

    def unread(self) -> "NotificationQuerySet":
        return self.filter(is_read=False)


class Notification(OwedWork, StatusModel):
    """One message to one person about one occasion: in the app from the moment it is written, by e-mail soon after.

    ``status`` is about the e-mail. A message stays ``sending`` from its first attempt until one succeeds or the last
    one has failed; ``skip_reason`` tells why there was nothing to send.
    """

    class Type(models.TextChoices):
        REMINDER = "reminder", "Reminder"
        CONFIRMATION = "confirmation", "Confirmation"
        UPDATE = "update", "Update"
        ANNOUNCEMENT = "announcement", "Announcement"
        SURVEY = "survey", "Survey"
        WAITLIST = "waitlist", "Waitlist"
        PAYMENT = "payment", "Payment"
        CERTIFICATE = "certificate", "Certificate"

    class Status(models.TextChoices):
        UNSENT = "unsent", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    class SkipReason(models.TextChoices):
        NO_ADDRESS = "no_address", "No e-mail address"
        INACTIVE = "inactive", "Account not active"
        UNWANTED = "unwanted", "E-mails of this type not wanted"
        OUTDATED = "outdated", "Its link had ended"

    OWED: ClassVar = (Status.UNSENT, Status.SENDING)
    TRANSITIONS: ClassVar = {
        Status.UNSENT: {Status.SENDING},
        Status.SENDING: {Status.SENT, Status.FAILED},
        Status.FAILED: {Status.UNSENT},  # sent anew by a person
    }
    INITIAL = frozenset({Status.UNSENT})
    RECORDS_CREATION = False
    MAX_ATTEMPTS = 32  # with the pauses between them a day: a mail server may be away for a night

    # The index on user and time serves the foreign key too. Empty: to somebody who has no account (yet).
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, null=True, blank=True
    )
    send_to = models.EmailField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        help_text="The address, where it is not the account's own at the time of sending.",
    )
    in_app = models.BooleanField(
        default=True, db_default=True, help_text="Whether it is shown in the app, besides being mailed."
    )
    type = models.CharField(max_length=16, choices=Type)
    kind = models.CharField(max_length=40, help_text="Which message of notifications/messages.py.")
    title = models.CharField(max_length=200)
    body = models.TextField()
    data = models.JSONField(default=dict, blank=True, help_text="Ids of what the message is about, by name.")
    dedupe_key = models.CharField(max_length=120, help_text="The occasion, such as booking.confirmed:17.")
    status = models.CharField(max_length=8, choices=Status, default=Status.UNSENT)
    skip_reason = models.CharField(max_length=12, choices=SkipReason, blank=True)
    is_read = models.BooleanField(default=False)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], name="notifications_once_per_occasion"),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | ~Q(send_to="") & Q(in_app=False), name="notifications_for_somebody"
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | ~Q(status="sent") & Q(sent_at__isnull=True),
                name="notifications_sent_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["unsent", "sending"])
                | Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="notifications_owed_is_due_some_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | Q(parked_at__isnull=False), name="notifications_failed_is_parked"
            ),
            models.CheckConstraint(
                condition=Q(is_read=True, read_at__isnull=False) | Q(is_read=False, read_at__isnull=True),
                name="notifications_read_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notifications_by_user"),
            models.Index(fields=["user"], condition=Q(is_read=False), name="notifications_unread"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="notifications_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} to {f'user {self.user_id}' if self.user_id else 'a stranger'}"
