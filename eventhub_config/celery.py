"""The Celery application: workers and Beat start from here."""

import os
import signal
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventhub_config.settings")

app = Celery("eventhub_config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect(dispatch_uid="first heartbeat")
def send_first_heartbeat(**_: Any) -> None:
    """Send a heartbeat when Beat starts: health checks need not wait for the first regular one, a minute later."""
    from eventhub_config.shared.dispatch import enqueue
    from eventhub_config.shared.tasks import heartbeat

    enqueue(heartbeat)


@beat_init.connect(dispatch_uid="end when asked")
def end_when_asked(**_: Any) -> None:
    """Let Beat end at a signal, whatever it is doing.

    Celery's own handler first saves the schedule, on a database connection that may be in use where the signal came;
    the error of that then takes the place of the end, and Beat goes on. It saves on its way out as well.
    """
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda *_: sys.exit())
