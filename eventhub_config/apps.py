from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class EventHubConfig(AppConfig):
    """The roof as an app: management commands, and Beat's entries after a migration."""

    name = "eventhub_config"
    label = "eventhub"
    verbose_name = "Event Hub"

    def ready(self) -> None:
        from eventhub_config import checks  # noqa: F401  (registers them)
        from eventhub_config.beat import ensure_beat_entries

        # Not of this app itself: Django sends the signal for apps with models only.
        scheduler = apps.get_app_config("django_celery_beat")
        post_migrate.connect(ensure_beat_entries, sender=scheduler, dispatch_uid="beat entries")
