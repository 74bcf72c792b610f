"""Periodic work: the same functions for Beat, for ``manage.py run_job NAME --now …`` and for tests.

An app lists its jobs as ``JOBS`` in its ``jobs.py``.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from celery import Task
from django.db.models import QuerySet

from eventhub_config.shared.dispatch import enqueue
from eventhub_config.shared.registry import contributions

logger = logging.getLogger(__name__)

Key = TypeVar("Key")  # of a row: most often a number

BATCH = 1000  # ids that one run of a sweep takes at most; the next run finds the rest


@dataclass(frozen=True)
class Sweep(Generic[Key]):
    """Finds rows whose time has come, without locks, and has each of them worked on by itself.

    ``find(now)`` yields ids; ``work(id, now)`` does one of them and may be run twenty times side by side; ``task``
    does the same in a worker, taking the id as keyword ``argument``.
    """

    name: str
    every: timedelta
    find: Callable[[datetime], "QuerySet[Any, Key] | Sequence[Key]"]
    work: Callable[[Key, datetime], Any]
    task: "Task[Any, Any]"
    argument: str

    def hand_out(self, now: datetime) -> int:
        """Send each due id to the workers; return how many were sent."""
        sent = 0
        for pk in list(self.find(now)[:BATCH]):
            if not enqueue(self.task, **{self.argument: pk}):
                break  # Redis is away: the next run tries again
            sent += 1
        return sent

    def run(self, now: datetime) -> int:
        """Work through each due id here; one that fails is logged and stops nobody else. Return how many went well."""
        done, began = 0, time.monotonic()
        for pk in list(self.find(now)[:BATCH]):
            # The clock goes on meanwhile: a claim that counts from the beginning of a long run has run out when made.
            moment = now + timedelta(seconds=int(time.monotonic() - began))
            try:
                self.work(pk, moment)
            except Exception:  # whatever is wrong with one row must not stop the others
                logger.exception("%s failed on %s", self.name, pk)
            else:
                done += 1
        return done


@dataclass(frozen=True)
class Chore:
    """A small periodic job that is one call."""

    name: str
    every: timedelta
    run: Callable[[datetime], int]

    def hand_out(self, now: datetime) -> int:
        return self.run(now)


Job = Sweep[Any] | Chore


def all_jobs() -> dict[str, Job]:
    """Return every periodic job of every app by name."""
    return {job.name: job for _app, jobs in contributions("jobs", "JOBS") for job in jobs}
