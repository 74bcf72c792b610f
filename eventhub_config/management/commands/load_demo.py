from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from eventhub_config.shared.dispatch import workers_asleep
from eventhub_config.shared.registry import contributions


class Command(BaseCommand):
    help = "Fill Event Hub with demo data, each app its own. What is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--print-sign-ins", action="store_true", help="Show whom one can sign in as.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ALLOW_DEMO_DATA:
            raise CommandError("Everybody knows the passwords of demo accounts. Set ALLOW_DEMO_DATA=1 if you mean it.")
        now = timezone.now()
        with workers_asleep():  # the demo's history is done here and now, not told to workers task by task
            for _app, load in contributions("demo", "load"):
                load(now=now)
        if options["print_sign_ins"]:
            self._print_sign_ins()

    def _print_sign_ins(self) -> None:
        rows = [("role", "username", "e-mail", "password")]
        rows += [(s.user_type, s.username, s.email, s.password) for s in import_module("users.demo").SIGN_INS]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())
