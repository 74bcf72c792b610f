"""The settings refuse to start with what is unsafe, one line for each value, and are described in ``.env.example``."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from eventhub_config import settings
from eventhub_config.checks import opt_ins
from eventhub_config.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "9f8e7d6c5b4a39281706f5e4d3c2b1a0-and-more",
    "ALLOWED_HOSTS": "eventhub.example",
    "PAYMENT_GATEWAY": "mock",
    "DATABASE_URL": "sqlite:////nowhere.sqlite3",
}


def start(folder: Path, shown: str = "settings.DEBUG", /, **changes: str) -> str:
    """Load the settings in a process of their own; return what they complain about, or the value to be shown."""
    described = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    inherited = {name: value for name, value in os.environ.items() if name not in described}
    command = [sys.executable, "-c", f"from eventhub_config import settings; print('started', {shown})"]
    good = GOOD | {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "ENV_FILE": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=inherited | good | changes, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def complaints(output: str) -> list[str]:
    """Return the first word of each line of the refusal: the name of the value."""
    _, found, lines = output.partition("Event Hub does not start with these settings:\n")
    assert found, output
    return [line.strip().partition(":")[0] for line in lines.strip().splitlines()]


def test_good_values_start_in_production(tmp_path: Path) -> None:
    assert start(tmp_path) == "started False\n"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SECRET_KEY": ""}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "django-insecure-0123456789012345678901234567890123456789"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "change-me-0123456789012345678901234567890123456789"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "x" * 31}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "", "DEBUG": "1"}, ["SECRET_KEY"]),
        ({"ALLOWED_HOSTS": "*"}, ["ALLOWED_HOSTS"]),
        ({"ALLOWED_HOSTS": ""}, ["ALLOWED_HOSTS"]),
        ({"PAYMENT_GATEWAY": ""}, ["PAYMENT_GATEWAY"]),
        ({"PAYMENT_GATEWAY": "bitcoin"}, ["PAYMENT_GATEWAY"]),
        ({"PAYMENT_GATEWAY": "stripe"}, ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"]),
        (
            {"PAYMENT_GATEWAY": "stripe", "STRIPE_SECRET_KEY": "pk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"},
            ["STRIPE_SECRET_KEY"],
        ),
        ({"STRIPE_WEBHOOK_SECRET": "sk_live_1"}, ["STRIPE_WEBHOOK_SECRET"]),
        ({"STRIPE_PUBLISHABLE_KEY": "sk_live_1"}, ["STRIPE_PUBLISHABLE_KEY"]),
        ({"STRIPE_API_BASE": "127.0.0.1:1"}, ["STRIPE_API_BASE"]),
        ({"UNSAFE_NO_SEAT_GUARD": "1"}, ["UNSAFE_NO_SEAT_GUARD"]),
        ({"MEDIA_STORAGE": "ftp"}, ["MEDIA_STORAGE"]),
        ({"MEDIA_STORAGE": "s3"}, ["S3_BUCKET"]),
        ({"MEDIA_STORAGE": "s3", "S3_BUCKET": "b", "S3_ENDPOINT_URL": "s3.example.org"}, ["S3_ENDPOINT_URL"]),
        ({"MEDIA_STORAGE": "s3", "S3_BUCKET": "b", "S3_ACCESS_KEY": "k"}, ["S3_ACCESS_KEY, S3_SECRET_KEY"]),
        ({"MEDIA_URL": "cdn.example.org"}, ["MEDIA_URL"]),
        ({"IMAGE_MAX_PIXELS": "100000001"}, ["IMAGE_MAX_PIXELS"]),
        ({"MEDIA_URL": "https://cdn.example.org/?file="}, ["MEDIA_URL"]),
        (
            {
                "EMAIL_VERIFICATION_HOURS": "8761",
                "PASSWORD_RESET_MINUTES": "1441",
                "EMAIL_CHANGE_HOURS": "99999999999999",
            },
            ["EMAIL_CHANGE_HOURS", "EMAIL_VERIFICATION_HOURS", "PASSWORD_RESET_MINUTES"],
        ),
        ({"IMAGE_MAX_BYTES": "0", "IMAGE_MAX_PIXELS": "many"}, ["IMAGE_MAX_BYTES", "IMAGE_MAX_PIXELS"]),
        (
            {
                "SECRET_KEY": "",
                "DEBUG": "perhaps",
                "ALLOWED_HOSTS": "*",
                "TRUSTED_PROXIES": "-1",
                "HOLD_MINUTES": "soon",
                "MAX_OPEN_HOLDS": "0",
                "MOCK_GATEWAY_SUCCESS_RATE": "1.5",
                "LOG_LEVEL": "LOUD",
            },
            [
                "ALLOWED_HOSTS",
                "DEBUG",
                "HOLD_MINUTES",
                "LOG_LEVEL",
                "MAX_OPEN_HOLDS",
                "MOCK_GATEWAY_SUCCESS_RATE",
                "SECRET_KEY",
                "TRUSTED_PROXIES",
            ],
        ),
    ],
    ids=lambda it: "-".join(it) if isinstance(it, list) else "",
)
def test_what_is_unsafe_stops_the_start(changes: dict[str, str], named: list[str], tmp_path: Path) -> None:
    """RELIABILITY H11"""
    assert sorted(complaints(start(tmp_path, **changes))) == named


def test_no_value_is_repeated_in_a_complaint_about_a_secret(tmp_path: Path) -> None:
    output = start(tmp_path, SECRET_KEY="insecure-hunter2")

    assert complaints(output) == ["SECRET_KEY"]
    assert "hunter2" not in output


def test_only_one_s_own_machine_may_leave_doors_open(tmp_path: Path) -> None:
    open_doors = {"DEBUG": "1", "ALLOWED_HOSTS": "*", "PAYMENT_GATEWAY": "", "UNSAFE_NO_SEAT_GUARD": "1"}

    assert start(tmp_path, **open_doors) == "started True\n"


@pytest.mark.parametrize("key", ["sk_test_1", "sk_live_1", "rk_live_1"])
def test_stripe_starts_with_its_two_secrets(key: str, tmp_path: Path) -> None:
    """PAY-2"""
    secrets = {"STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": "whsec_1"}

    assert start(tmp_path, PAYMENT_GATEWAY="stripe", **secrets) == "started False\n"


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({"ALLOWED_HOSTS": "localhost,eventhub.example,other.example"}, "http://eventhub.example"),
        ({"ALLOWED_HOSTS": ".example,eventhub.example", "SECURE_SSL": "1"}, "https://eventhub.example"),
        ({"ALLOWED_HOSTS": "localhost,127.0.0.1"}, "http://localhost:8000"),
        ({"ALLOWED_HOSTS": "*", "DEBUG": "1"}, "http://localhost:8000"),
        ({"PUBLIC_URL": "https://api.example/"}, "https://api.example"),
    ],
)
def test_links_lead_to_a_host_that_the_settings_name(changes: dict[str, str], address: str, tmp_path: Path) -> None:
    """RELIABILITY H11"""
    assert start(tmp_path, "settings.PUBLIC_URL", **changes) == f"started {address}\n"


@pytest.mark.parametrize("name", ["PUBLIC_URL", "FRONTEND_URL"])
@pytest.mark.parametrize(
    "url", ["eventhub.example", "https:// eventhub.example", "https:///x", "https://a.example/?b="]
)
def test_links_lead_to_web_pages(name: str, url: str, tmp_path: Path) -> None:
    assert complaints(start(tmp_path, **{name: url})) == [name]


def test_a_front_end_may_keep_its_pages_behind_a_hash(tmp_path: Path) -> None:
    url = "https://eventhub.example/#"
    assert start(tmp_path, "settings.FRONTEND_URL", FRONTEND_URL=url) == f"started {url}\n"


def test_a_deployment_is_warned_of_a_secret_of_test_mode(settings: Settings) -> None:
    settings.PAYMENT_GATEWAY = "stripe"
    told = {}
    for key in ("sk_test_1", "rk_test_1", "sk_live_1"):
        settings.STRIPE_SECRET_KEY = key
        told[key] = "eventhub.W005" in {warning.id for warning in opt_ins(None)}

    assert told == {"sk_test_1": True, "rk_test_1": True, "sk_live_1": False}


def test_a_deployment_is_warned_of_payers_who_come_back_to_nothing(settings: Settings) -> None:
    settings.PAYMENT_GATEWAY, settings.STRIPE_SECRET_KEY = "stripe", "sk_live_1"
    told = {}
    for url in ("", "https://eventhub.example"):
        settings.FRONTEND_URL = url
        told[url] = "eventhub.W006" in {warning.id for warning in opt_ins(None)}

    assert told == {"": True, "https://eventhub.example": False}


# --- .env.example -----------------------------------------------------------------------------------------------------

NOT_FOR_THE_SETTINGS = "not by the settings ---"


def test_every_variable_is_described_and_no_other() -> None:
    for_settings, _, for_others = (ROOT / ".env.example").read_text().partition(NOT_FOR_THE_SETTINGS)
    described = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", for_settings, re.MULTILINE)

    assert sorted(described) == sorted(settings.env.names)
    assert not settings.env.names & set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", for_others, re.MULTILINE))


def test_every_variable_has_a_line_that_says_what_it_means() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    for above, line in itertools.pairwise(lines):
        if re.match(r"#?[A-Z][A-Z0-9_]*=", line):
            assert re.match(r"# \S.*[.:]", above), line


def test_the_sample_itself_does_not_start(tmp_path: Path) -> None:
    """Its secret is empty; `make env` puts one there."""
    output = start(tmp_path, ENV_FILE=str(ROOT / ".env.example"), SECRET_KEY="")

    assert complaints(output) == ["SECRET_KEY"]


# --- Where values come from -------------------------------------------------------------------------------------------


def test_the_process_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("FIRST=file\nSECOND=file\nEMPTY=\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("SECOND", "process")

    env = Environment(tmp_path / "unused")

    assert [env.text(name, "default") for name in ("FIRST", "SECOND", "EMPTY", "NOWHERE")] == [
        "file",
        "process",
        "default",
        "default",
    ]
    assert env.names == {"ENV_FILE", "FIRST", "SECOND", "EMPTY", "NOWHERE"}


def test_tests_read_no_file_of_this_machine() -> None:
    assert os.environ["ENV_FILE"] == ""
    assert django_settings.DEBUG is False
