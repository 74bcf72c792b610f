"""The Celery application: workers and Beat start from here."""

import os

from celery import Celery
from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventhub_config.settings")

TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "eventhub_config.broker:Transport"))
app = Celery("eventhub_config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# As Django does around each request: a connection that broke or grew old is closed, and the next use makes a new one.
# Celery, told to keep connections (CELERY_DB_REUSE_MAX), would keep a broken one too.
task_prerun.connect(close_old_connections)
task_postrun.connect(close_old_connections)
