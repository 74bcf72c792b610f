"""Say whether Beat sends and a worker works: for the health check of a container that answers no requests."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from eventhub_config.shared.health import SILENT_AFTER
from eventhub_config.shared.models import Heartbeat


class Command(BaseCommand):
    help = "Exit with 0 if the heartbeat, sent by Beat every minute and recorded by a worker, is recent."

    def handle(self, *args: Any, **options: Any) -> None:
        last = Heartbeat.objects.filter(name="worker").values_list("at", flat=True).first()
        if last is None:
            raise CommandError("No heartbeat was ever recorded.")
        age = timezone.now() - last
        if age > SILENT_AFTER:
            raise CommandError(f"The last heartbeat is {age.total_seconds():.0f} seconds old.")
        self.stdout.write(f"The last heartbeat is {age.total_seconds():.0f} seconds old.")
