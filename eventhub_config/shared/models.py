"""The floor's own rows: history, idempotency keys, counters for when Redis is away, heartbeats and pictures."""

from typing import Any

from django.db import models
from django.db.models import Q

from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.shared.references import opaque_key


class StatusChange(models.Model):
    """One move of one row from a state to another: who, when, why. Written with the move, never changed."""

    subject_type = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    from_status = models.CharField(max_length=24, blank=True)
    to_status = models.CharField(max_length=24)
    actor = models.CharField(max_length=64)
    note = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "id"], name="shared_change_subject")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.subject_type} {self.subject_id} {self.from_status or 'new'} → {self.to_status}"


class IdempotencyRecord(models.Model):
    """What one ``Idempotency-Key`` made. Kept for successes only; see ``shared/idempotency.py``."""

    user_id = models.BigIntegerField()
    route = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    resource_id = models.BigIntegerField()
    response_status = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "route", "key"], name="shared_idempotency_once")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.route} of user {self.user_id}"


class RateLimitCounter(models.Model):
    """Counts what is limited strictly, such as attempts to sign in; see ``shared/throttling.py``."""

    key = models.CharField(max_length=120, unique=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.pk}: {self.key} {self.count}"


class Heartbeat(models.Model):
    """When a process was last seen at work; ``/readyz`` tells its age."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"


class StoredImage(OwedWork):
    """A picture that people uploaded: made anew from its pixels, kept in the storage under its key.

    The work owed is its renditions or, once ``discarded_at`` is set, its removal. See ``shared/images``.
    """

    class Purpose(models.TextChoices):
        AVATAR = "avatar", "Avatar"
        COVER = "cover", "Cover"

    MAX_ATTEMPTS = 16  # with the pauses between them nine hours: a storage may be away for a night

    # The key is all that an answer needs to name the files; as primary key it stands in the rows that use the picture.
    key = models.CharField(max_length=40, primary_key=True, default=opaque_key, editable=False)
    purpose = models.CharField(max_length=8, choices=Purpose)
    uploaded_by = models.BigIntegerField(help_text="The user's id.")
    width = models.PositiveIntegerField(help_text="In pixels, as stored.")
    height = models.PositiveIntegerField(help_text="In pixels, as stored.")
    created_at = models.DateTimeField()
    rendered_at = models.DateTimeField(null=True, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "picture"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False, parked_at__isnull=True),
                name="shared_images_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.purpose}, {self.width} x {self.height}"


class ProtectedColumns(models.Model):
    """A row some of whose columns are written by one function only.

    ``save()`` leaves out the columns in ``PROTECTED_COLUMNS`` unless ``update_fields`` names them: an edit of the title
    must not undo the seats that were sold since the row was read.
    """

    PROTECTED_COLUMNS: frozenset[str] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = self.unprotected_columns()
        super().save(*args, **kwargs)

    def unprotected_columns(self) -> list[str]:
        return [
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key and field.name not in self.PROTECTED_COLUMNS
        ]
