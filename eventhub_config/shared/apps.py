from django.apps import AppConfig


class SharedConfig(AppConfig):
    name = "eventhub_config.shared"
    label = "shared"
    verbose_name = "Foundation"

    def ready(self) -> None:
        from eventhub_config.shared import health, requests

        requests.carry_request_ids_through_celery()
        health.beat_when_worker_starts()
