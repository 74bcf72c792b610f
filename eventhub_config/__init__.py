"""Event Hub's project package: the roof over five apps, and the floor under them (``shared``)."""

from eventhub_config.celery import app as celery_app

__all__ = ["celery_app"]
