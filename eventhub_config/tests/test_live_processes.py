"""The processes that tests start on their own database."""

import urllib.request

import pytest
from django.utils import timezone

from eventhub_config.shared.models import Heartbeat
from eventhub_config.tests.live import beat, own_queue, wait_until, web, worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_web_worker_and_beat_work_together_and_end(process_environment: dict[str, str]) -> None:
    """OPS-1"""
    from django_celery_beat.models import PeriodicTask

    long_ago = timezone.now().replace(year=2020)
    PeriodicTask.objects.filter(name="heartbeat").update(last_run_at=long_ago)
    environment = own_queue(process_environment)

    with web(environment) as server, worker(environment) as working:
        with urllib.request.urlopen(f"{server.url}/healthz") as answer:
            assert answer.status == 200
        # The worker shows by itself that it is there; what Beat sends is the next heartbeat.
        wait_until(lambda: Heartbeat.objects.filter(name="worker").exists())
        Heartbeat.objects.update(at=long_ago)
        with beat(environment) as clock:
            wait_until(lambda: Heartbeat.objects.filter(at__gt=long_ago).exists())

    assert server.process.returncode == 0
    assert working.process.returncode == 0
    assert clock.process.returncode == 0
