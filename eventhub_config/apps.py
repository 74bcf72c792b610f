from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EventHubConfig(AppConfig):
    """The roof as an app: management commands, and Beat's entries after a migration."""

    name = "eventhub_config"
    label = "eventhub"
    verbose_name = "Event Hub"

    def ready(self) -> None:
        from eventhub_config.beat import ensure_beat_entries

        post_migrate.connect(ensure_beat_entries, sender=self, dispatch_uid="beat entries")
