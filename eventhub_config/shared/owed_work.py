"""Work that must happen is a row: claimed, then done outside of any transaction, then recorded.

A claim is one short UPDATE that commits by itself. Whoever holds it works; if it dies, the claim runs out and a sweep finds
the row again. After ``MAX_ATTEMPTS`` the row is parked and shown to people.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

CLAIM_LASTS = timedelta(minutes=3)  # longer than a task may run (CELERY_TASK_TIME_LIMIT)
FIRST_RETRY = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(hours=1)


class OwedWorkQuerySet(models.QuerySet["OwedWork"]):
    def due(self, now: datetime) -> Self:
        """Return the rows that nobody works on and whose time has come."""
        return self.filter(
            Q(claimed_until=None) | Q(claimed_until__lte=now), parked_at=None, next_attempt_at__lte=now
        )


class OwedWork(models.Model):
    """The columns of a row that stands for work to be done."""

    MAX_ATTEMPTS: ClassVar[int] = 8

    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: nothing is owed.")
    claimed_until = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True, help_text="Given up; a person must look.")
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    WORK_COLUMNS: ClassVar[tuple[str, ...]] = (
        "attempts",
        "next_attempt_at",
        "claimed_until",
        "parked_at",
        "last_error",
    )

    @classmethod
    def claim(cls, pk: int, *, now: datetime, states: Iterable[str] | None = None) -> bool:
        """Take one row to work on; return False if it is not due, or somebody else has it."""
        due = Q(claimed_until=None) | Q(claimed_until__lte=now)
        rows = cls._base_manager.filter(due, pk=pk, parked_at=None, next_attempt_at__lte=now)
        if states is not None:
            rows = rows.filter(status__in=list(states))
        return bool(rows.update(claimed_until=now + CLAIM_LASTS, attempts=F("attempts") + 1))

    def work_is_done(self) -> None:
        """Clear what is owed; the caller saves ``WORK_COLUMNS``."""
        self.next_attempt_at = self.claimed_until = None
        self.last_error = ""

    def work_failed(self, reason: str, *, now: datetime) -> None:
        """Let go of the row until its next attempt, or park it; the caller saves ``WORK_COLUMNS``."""
        self.claimed_until = None
        self.last_error = reason[:500]
        if self.attempts >= self.MAX_ATTEMPTS:
            self.parked_at = now
        else:
            self.next_attempt_at = now + min(FIRST_RETRY * 2 ** max(0, self.attempts - 1), LONGEST_PAUSE)
