"""What ``make env`` writes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from eventhub_config.development import environment_file

CHECKOUT = Path(__file__).resolve().parents[2]
PRINT_SETTINGS = "from eventhub_config import settings as s; print(s.DEBUG, s.ALLOW_DEMO_DATA, s.PAYMENT_GATEWAY)"


def described() -> set[str]:
    """Return the names of all variables of Event Hub."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", environment_file.EXAMPLE.read_text(), re.MULTILINE))


def started_with(path: Path) -> str:
    """Load the settings in a process that knows nothing but this file."""
    kept = {name: value for name, value in os.environ.items() if name not in described()}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_SETTINGS],
        cwd=CHECKOUT,
        env=kept | {"ENV_FILE": str(path), "DATABASE_URL": f"sqlite:///{path.parent}/db.sqlite3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_has_all_that_a_start_needs(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    assert environment_file.write(path)

    assert started_with(path) == "False True mock\n"
    assert dotenv_values(path)["POSTGRES_PASSWORD"]  # docker-compose.yml insists on it


def test_has_the_changes_asked_for(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    environment_file.write(path, DEBUG="1", HOLD_MINUTES="20")

    assert started_with(path) == "True True mock\n"
    assert dotenv_values(path)["HOLD_MINUTES"] == "20"


def test_has_secrets_of_its_own_that_only_the_owner_reads(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    environment_file.write(first)
    environment_file.write(second)

    for name in environment_file.SECRET_BYTES:
        one, other = dotenv_values(first)[name], dotenv_values(second)[name]
        assert one
        assert one != other
        assert re.fullmatch(r"[\w-]{32,}", one)  # goes into an address and through a shell as it is
    assert first.stat().st_mode & 0o777 == 0o600


def test_stays_as_it_is_once_written(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n")

    assert not environment_file.write(path)

    assert path.read_text() == "SECRET_KEY=mine\n"


def test_the_goal_says_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ".env"
    monkeypatch.setattr(environment_file, "ENVIRONMENT_FILE", path)

    assert environment_file.main() == 0
    assert capsys.readouterr().out.startswith("Wrote .env with a new SECRET_KEY")
    written = path.read_text()
    assert environment_file.main() == 0
    assert capsys.readouterr().out.startswith("There is a .env already")
    assert path.read_text() == written
