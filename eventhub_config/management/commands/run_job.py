"""Run a periodic job here and now, or as if it were another moment."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from eventhub_config.shared.periodic import all_jobs


class Command(BaseCommand):
    help = "Run one periodic job in this process; without a name, list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?")
        parser.add_argument("--now", help="Act as if it were this moment, such as 2027-03-01T09:00:00Z.")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = all_jobs()
        if not options["name"]:
            for job in jobs.values():
                self.stdout.write(f"{job.name}: every {job.every}")
            return
        if options["name"] not in jobs:
            raise CommandError(f"There is no job {options['name']}. Known: {', '.join(jobs)}.")
        done = jobs[options["name"]].run(self._moment(options["now"]))
        self.stdout.write(f"{options['name']}: {done}")

    def _moment(self, text: str | None) -> datetime:
        if text is None:
            return timezone.now()
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise CommandError(f"--now takes a moment with its offset, such as 2027-03-01T09:00:00Z, not {text!r}.")
        return moment
