"""Work that must happen is a row: claimed, then done outside of any transaction, then recorded.

A claim is a short transaction of its own: lock, read, ``hold_claim``, commit. Whoever holds it works; if it dies, the
claim runs out and a sweep finds the row again. After ``MAX_ATTEMPTS`` the row is parked and shown to people.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

CLAIM_LASTS = timedelta(seconds=75)  # longer than a task may run (CELERY_TASK_TIME_LIMIT)
FIRST_RETRY = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(hours=1)


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

    @staticmethod
    def due(now: datetime) -> Q:
        """Return the condition of rows that nobody works on and whose time has come."""
        idle = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return idle & Q(parked_at=None, next_attempt_at__lte=now)

    def is_due(self, now: datetime) -> bool:
        """Return the same of this row, as it was read under its lock."""
        idle = self.claimed_until is None or self.claimed_until <= now
        return idle and self.parked_at is None and self.next_attempt_at is not None and self.next_attempt_at <= now

    def hold_claim(self, now: datetime) -> bool:
        """Take the row to work on; the caller holds its lock and saves ``WORK_COLUMNS`` either way.

        Return False, and park the row, if its attempts are used up: its last worker died over it as those before, and
        one more would only kill the next.
        """
        if self.attempts >= self.MAX_ATTEMPTS:
            self.claimed_until, self.parked_at = None, now
            self.last_error = self.last_error or "Its workers died over it."
            return False
        self.claimed_until = now + CLAIM_LASTS
        self.attempts += 1
        return True

    def work_is_done(self) -> None:
        """Clear what is owed, also where somebody had given it up; the caller saves ``WORK_COLUMNS``."""
        self.next_attempt_at = self.claimed_until = self.parked_at = None
        self.last_error = ""

    def work_goes_on(self, until: datetime | None) -> None:
        """Let go of the row without a failure: others are still at it; the caller saves ``WORK_COLUMNS``.

        ``until``: when to look again; None: nobody needs to.
        """
        self.attempts, self.claimed_until, self.parked_at, self.next_attempt_at = 0, None, None, until
        self.last_error = ""

    def try_again(self, now: datetime) -> None:
        """Take a row that was given up back among those that are due; the caller saves ``WORK_COLUMNS``.

        It remains known that there were attempts: whoever works on it may have to ask what came of them.
        """
        self.attempts = min(self.attempts, 1)
        self.claimed_until, self.parked_at, self.next_attempt_at = None, None, now

    def work_failed(self, reason: str, *, now: datetime) -> None:
        """Let go of the row until its next attempt, or park it; the caller saves ``WORK_COLUMNS``."""
        self.claimed_until = None
        self.last_error = reason[:500]
        if self.attempts >= self.MAX_ATTEMPTS:
            self.parked_at = now
        else:
            self.next_attempt_at = now + min(FIRST_RETRY * 2 ** max(0, self.attempts - 1), LONGEST_PAUSE)
