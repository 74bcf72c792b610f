"""Prove from the rows that no invariant is broken."""

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from eventhub_config.shared.integrity import Verdict, all_checks, checks_by_app, verdicts

FOUND, COULD_NOT_RUN = 1, 2


class Command(BaseCommand):
    help = """Check every invariant against the rows, as they stand at one moment.

Exits with 0 if nothing is broken, with 1 if something is, and with 2 if a check could not run, whatever the others
found. Nothing is changed, and nobody waits for it."""

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Write the findings as JSON.")
        parser.add_argument(
            "--check", action="append", default=[], metavar="NAME", help="Run this check only; may be given repeatedly."
        )
        parser.add_argument("--list", action="store_true", help="Write the checks and what they promise; run none.")
        parser.add_argument(
            "--limit", type=int, default=100, help="Write that many findings of each check; 0: all. (default: 100)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list(as_json=options["json"])
            return
        unknown = sorted(set(options["check"]) - {check.name for check in all_checks()})
        if unknown:
            raise CommandError(f"There is no check {', '.join(unknown)}; --list names them.", returncode=COULD_NOT_RUN)
        began, at = time.monotonic(), timezone.now()
        results = verdicts(options["check"], keep=options["limit"] or None)
        told = self._tell_machines(results, at.isoformat(), began) if options["json"] else self._tell(results)
        checked, found, failed = told
        if not options["json"]:
            not_run = f", {failed} could not run" if failed else ""
            self.stdout.write(f"{checked} checks, {found} findings{not_run}")
        if failed:
            raise CommandError(f"{failed} checks could not run, {found} findings", returncode=COULD_NOT_RUN)
        if found:
            raise CommandError(f"{found} findings", returncode=FOUND)

    def _list(self, *, as_json: bool) -> None:
        rows = [{"check": check.name, "app": app, "promise": check.promise} for app, check in checks_by_app()]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        width = max(len(row["check"]) for row in rows)
        for app in dict.fromkeys(row["app"] for row in rows):
            self.stdout.write(self.style.MIGRATE_HEADING(app))
            for row in rows:
                if row["app"] == app:
                    self.stdout.write(f"  {row['check']:{width}}  {row['promise']}")

    def _tell(self, results: Iterable[Verdict]) -> tuple[int, int, int]:
        """Write what is broken, grouped by promise, as it is found."""
        checked = found = failed = 0
        for verdict in results:
            checked, found, failed = checked + 1, found + verdict.count, failed + bool(verdict.error)
            if not (verdict.count or verdict.error):
                continue
            self.stdout.write(self.style.ERROR(f"{verdict.check.name} ({verdict.app}): {verdict.check.promise}"))
            for finding in verdict.findings:
                self.stdout.write(f"  {finding.subject}: {finding.message}")
            if verdict.count > len(verdict.findings):
                self.stdout.write(f"  … and {verdict.count - len(verdict.findings)} more (--limit 0 names all)")
            if verdict.error:
                self.stdout.write(f"  could not run: {verdict.error}")
            if verdict.count and verdict.check.remedy:
                self.stdout.write(f"  What to do: {verdict.check.remedy}")
            self.stdout.write("")
        return checked, found, failed

    def _tell_machines(self, results: Iterable[Verdict], at: str, began: float) -> tuple[int, int, int]:
        """Write one JSON object; its shape is documented in docs/setup.md."""
        done = list(results)
        broken = [verdict for verdict in done if verdict.count or verdict.error]
        found = sum(verdict.count for verdict in done)
        failed = sum(bool(verdict.error) for verdict in done)
        told = {
            "checked_at": at,
            "seconds": round(time.monotonic() - began, 2),
            "checks": len(done),
            "count": found,
            "could_not_run": failed,
            "broken": [
                {
                    "check": verdict.check.name,
                    "app": verdict.app,
                    "promise": verdict.check.promise,
                    "remedy": verdict.check.remedy,
                    "count": verdict.count,
                    "error": verdict.error,
                }
                for verdict in broken
            ],
            "findings": [asdict(finding) for verdict in broken for finding in verdict.findings],
        }
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        return len(done), found, failed
