"""Beat's entries: one row per job of any app, made after a migration and never overwriting one that ops edited."""

import json
from datetime import timedelta
from typing import Any

from eventhub_config.shared.periodic import all_jobs

HEARTBEAT = timedelta(minutes=1)


def ensure_beat_entries(**_: Any) -> None:
    from django_celery_beat.models import PeriodicTask

    for job in all_jobs().values():
        _ensure(job.name, job.every, task="eventhub.run_job", kwargs={"name": job.name})
    _ensure("heartbeat", HEARTBEAT, task="eventhub.heartbeat", kwargs={})
    known = {*all_jobs(), "heartbeat"}
    # A job that no longer exists would be sent for ever.
    PeriodicTask.objects.filter(task="eventhub.run_job").exclude(name__in=known).delete()


def _ensure(name: str, every: timedelta, *, task: str, kwargs: dict[str, str]) -> None:
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    if PeriodicTask.objects.filter(name=name).exists():
        return
    schedule, _ = IntervalSchedule.objects.get_or_create(
        every=int(every.total_seconds()), period=IntervalSchedule.SECONDS
    )
    PeriodicTask.objects.get_or_create(
        name=name,
        defaults={
            "interval": schedule,
            "task": task,
            "kwargs": json.dumps(kwargs),
            # Missed runs pile up in the queue of a stopped worker otherwise.
            "expire_seconds": max(60, int(every.total_seconds())),
        },
    )
