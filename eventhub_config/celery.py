"""The Celery application: workers and Beat start from here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventhub_config.settings")

app = Celery("eventhub_config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
