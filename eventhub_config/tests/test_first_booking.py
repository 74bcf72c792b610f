"""``docs/first-booking.md``: its commands run against a live server, and each prints what stands below it."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.live import own_queue, wait_until, web, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-booking.md"
MARK = "-- end of block --"
MAILED = {"Your seats are held", "You are booked", "Invoice EH", "Booking cancelled", "Refund of 25.00 EUR"}


@dataclass
class Block:
    """Commands of the page, and what it says they print."""

    commands: str
    shown: str = ""


def blocks() -> list[Block]:
    found: list[Block] = []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        if language == "sh":
            found.append(Block(text))
        else:
            assert language == "text"
            found[-1].shown += text
    return found


def printed_by(page: list[Block], base: str) -> list[str]:
    script = "".join(f"{block.commands}echo '{MARK}'\n" for block in page)
    environment = {"PATH": os.environ["PATH"], "BASE": base}
    done = subprocess.run(
        ["sh", "-eu"], input=script, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.split(f"{MARK}\n")[:-1]


def matches(shown: str, printed: str) -> bool:
    """Compare what a page shows with what was printed; ``…`` stands for anything in its line."""
    return re.fullmatch("[^\n]+".join(map(re.escape, shown.split("…"))), printed) is not None


def mailed(output: str) -> set[str]:
    return {subject for subject in MAILED if f"Subject: {subject}" in output}


def test_the_page_is_true_when_pasted_twice(process_environment: dict[str, str]) -> None:
    """OPS-1"""
    page = blocks()
    assert len(page) > 8
    environment = own_queue(process_environment)

    with web(environment) as server, worker(environment) as working:
        for _paste in range(2):
            for block, printed in zip(page, printed_by(page, server.url), strict=True):
                assert matches(block.shown, printed), f"{block.commands}\nshould print\n{block.shown}but did\n{printed}"
        wait_until(lambda: mailed(working.output()) >= MAILED)

    assert [str(finding) for check in all_checks() for finding in check.findings()] == []
