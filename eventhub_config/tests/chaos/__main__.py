"""``python -m eventhub_config.tests.chaos``: see ``docs/setup.md``. Exits with 1 if anything is found."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from eventhub_config.tests.chaos.faults import plan
from eventhub_config.tests.chaos.machinery import CHECKOUT, environment_of, free_port, machinery, servers
from eventhub_config.tests.chaos.record import read, write

KEPT_IN = CHECKOUT / ".data" / "chaos"
HURRY_BELOW = 3  # minutes


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="Break everything, and look whether it adds up.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="Repeat what this number chose; without one, another each time.")
    parser.add_argument("--control", action="store_true", help="Without the guard of seats: this must find something.")
    parser.add_argument("--replay", type=Path, help="A file that a run before has kept.")
    parser.add_argument("--keep", type=Path, default=KEPT_IN, help="The folder for histories and logs.")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    minutes, control, faults = given.minutes, given.control, None
    if given.replay:
        seed, minutes, control, faults = read(given.replay)
    say(f"Seed {seed}, {minutes:g} min{', without the guard of seats' if control else ''}")
    with servers() as (postgres, valkey, folder):
        port = free_port()
        told = {
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MOCK_GATEWAY_CALLBACK_URL": f"http://127.0.0.1:{port}/api/payments/callbacks/mock/",
        }
        if control:
            told |= {"DEBUG": "1", "UNSAFE_NO_SEAT_GUARD": "1"}
        environment = environment_of(postgres, valkey, folder, **told)
        parts = machinery(postgres, valkey, environment, folder, port)
        return _run(parts, folder, given.keep, seed=seed, minutes=minutes, control=control, faults=faults)


def _run(parts: Any, folder: Path, keep: Path, *, seed: int, minutes: float, control: bool, faults: Any) -> int:
    from eventhub_config.tests.chaos.sink import counting_sink

    with counting_sink() as sink, contextlib.ExitStack() as stack:
        parts.environment.update(sink.settings)
        prepare(parts.environment)
        from eventhub_config.tests.chaos import report, run

        if control:
            stack.enter_context(run.without_the_guard())
        one = run.Run(seed, minutes * 60, parts, sink, in_a_hurry=minutes < HURRY_BELOW)
        one.gather()
        parts.start()
        stack.callback(parts.stop)
        say(f"{len(one.buyers)} people and {len(one.desks)} desks at {parts.url}; the storm begins.")
        breaker = one.storm(plan(seed, one.seconds) if faults is None else faults)
        tried = report.attempts(one.history)
        say(f"The storm is over: {len(tried)} attempts, {len(breaker.done)} faults. Now it settles.")
        settling = one.settle()
        findings = one.open_the_books(breaker, settling)
        path = _kept(keep, seed)
        header = {"seed": seed, "minutes": minutes, "control": control, "buyers": len(one.buyers)}
        write(path, header, one.history, breaker.done, one.beginning, {"findings": findings})
        keep_logs(folder, path)
        say(f"\n{one.history.table()}\n\n{report.faults_table(breaker.done, tried)}\n")
        say(f"{len(tried)} attempts, {len(breaker.done)} faults in {minutes:g} min; settled in {settling.took:.0f} s")
        owed, mailed, again = one.mails
        say(f"{owed} messages, {mailed} mails, {again} of them again; {len(settling.by_hand)} refunds failed for good")
        say(report.unknowns(one.history))
        say(f"\n{report.findings_text(findings)}\n\nSeed {seed}. Kept in {path}; again: make chaos REPLAY={path}")
        return 1 if findings else 0


def prepare(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def keep_logs(folder: Path, path: Path) -> None:
    for log in folder.glob("*.log"):
        shutil.copyfile(log, path.with_name(f"{path.stem}-{log.name}"))


def _kept(keep: Path, seed: int) -> Path:
    moment = datetime.datetime.now(tz=datetime.UTC)
    return keep / f"{moment:%Y%m%d-%H%M%S}-{seed}.jsonl"


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
