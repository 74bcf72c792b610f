"""`make chaos`, for a moment: it finds nothing, and without the guard of seats it does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventhub_config.tests.live import CHECKOUT

MINUTES = float(os.environ.get("EVENTHUB_CHAOS_MINUTES", "1"))
SEED = os.environ.get("EVENTHUB_CHAOS_SEED", "1")

pytestmark = [
    pytest.mark.timeout(MINUTES * 60 + 900),
    pytest.mark.skipif(
        os.environ.get("EVENTHUB_TEST_DATABASE") == "sqlite", reason="It kills a PostgreSQL of its own; see make chaos"
    ),
]


def chaos(kept: Path, *arguments: str) -> tuple[int, str]:
    """Run it; return its exit status and what it told."""
    command = [sys.executable, "-m", "eventhub_config.tests.chaos", "--keep", str(kept), *arguments]
    process = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        told, _ = process.communicate()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
    return process.returncode, told


def test_nothing_is_lost_doubled_oversold_or_stuck(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OPS-5, RELIABILITY R1, R2, R3, R4, R7, R9, R15."""
    status, told = chaos(tmp_path, f"--minutes={MINUTES}", f"--seed={SEED}")

    with capsys.disabled():
        print(f"\n{told}")  # noqa: T201
    assert status == 0, told
    assert "\n0 findings" in told
    assert len(list(tmp_path.glob("*.jsonl"))) == 1


def test_control_without_the_guard_it_finds_what_was_oversold(tmp_path: Path) -> None:
    """To see that the test above would notice. A race need not be lost at the first go, so it is run until it is."""
    for seed in range(3):
        status, told = chaos(tmp_path, "--minutes=0.25", f"--seed={seed}", "--control")
        if "oversold by" in told:
            break

    assert status == 1, told
    assert "oversold by" in told
