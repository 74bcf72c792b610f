"""The Celery entry points of the floor."""

from celery import shared_task
from django.utils import timezone

from eventhub_config.shared.health import beat
from eventhub_config.shared.images.rendering import work_on
from eventhub_config.shared.periodic import all_jobs


@shared_task(name="eventhub.run_job")
def run_job(*, name: str, **_: object) -> None:
    """Run a periodic job by its name; Beat sends this for every entry of every app's ``JOBS``."""
    job = all_jobs().get(name)
    if job is not None:  # a job that a newer or older release knows
        job.hand_out(timezone.now())


@shared_task(name="eventhub.heartbeat")
def heartbeat(**_: object) -> None:
    """Show that Beat sends and a worker works. Beat: every minute."""
    beat("worker", timezone.now())


@shared_task(name="shared.work_on_image")
def work_on_image(*, image_key: str, **_: object) -> None:
    work_on(key=image_key, now=timezone.now())
