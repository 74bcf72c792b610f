"""Prove from the rows that no invariant is broken."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventhub_config.shared.integrity import all_checks


class Command(BaseCommand):
    help = "Check every invariant against the rows; exit with 1 if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Write the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = all_checks()
        findings = [finding for check in checks for finding in check.findings()]
        if options["json"]:
            self.stdout.write(
                json.dumps({"checks": len(checks), "findings": [asdict(item) for item in findings]}, indent=2)
            )
        else:
            for finding in findings:
                self.stdout.write(str(finding))
            self.stdout.write(f"{len(checks)} checks, {len(findings)} findings")
        if findings:
            raise CommandError(f"{len(findings)} findings", returncode=1)
