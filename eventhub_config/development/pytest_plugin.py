"""Gives a test run its servers and its environment, before pytest-django reads the settings (pytest.ini loads it).

PostgreSQL and Valkey are started for the run unless ``DATABASE_URL`` and ``REDIS_URL`` name others;
``EVENTHUB_TEST_DATABASE=sqlite`` puts the tests on a SQLite file instead. The parallel processes of pytest-xdist share
the servers of the one that started them, with a database, a Redis database number, a key prefix and a media folder
each. What a named Redis already holds stays untouched, and a ``.env`` is never read.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from eventhub_config.development import embedded

CHECKOUT = Path(__file__).resolve().parents[2]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "eventhub_config.settings",
    "ENV_FILE": "",
    "SECRET_KEY": "a key for tests: signs nothing that anybody keeps",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "PAYMENT_GATEWAY": "mock",
    "MOCK_GATEWAY_TEST_TOKENS": "1",
    "ALLOW_DEMO_DATA": "1",
    "FRONTEND_URL": "https://eventhub.example",
    "LIST_CACHE_SECONDS": "0",
}

_until_the_end = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)  # a wrapper comes before every plain hook, pytest-django's among them
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        _start(parallel_process=os.environ.get("PYTEST_XDIST_WORKER"))
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Make SQLite's test database a file: in memory, threads would share one connection and no lock would be real."""
    if config.option.help or config.option.version:
        return
    from django.db import connections

    database = connections.settings["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(_run_folder() / "test.sqlite3")  # pytest-django adds the process's name


def pytest_unconfigure() -> None:
    _until_the_end.close()


@pytest.fixture
def own_valkey() -> Iterator[embedded.Server]:
    """Give a Valkey that no other test uses: to be stopped, frozen or flushed."""
    with embedded.valkey() as server:
        yield server


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """Give the environment for a server or worker that a test starts: it works on this test's own database."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    return {**os.environ, "DATABASE_URL": _with_path(os.environ["DATABASE_URL"], name)}


def _start(parallel_process: str | None) -> None:
    if parallel_process is None:  # the only process, or the one that starts the parallel ones
        _clear_environment()
        _start_servers()
    _separate(parallel_process or "alone")


def _clear_environment() -> None:
    """Leave the settings nothing of this machine but the two servers it may have named."""
    described = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    proxies = {*PROXIES, *(name.lower() for name in PROXIES)}  # tests call this machine only
    for name in {*described, *proxies} - {"DATABASE_URL", "REDIS_URL"}:
        os.environ.pop(name, None)
    os.environ.update(SETTINGS)


def _start_servers() -> None:
    folder = _until_the_end.enter_context(embedded.throw_away_folder("tests"))
    os.environ["EVENTHUB_TEST_FOLDER"] = str(folder)
    os.environ["EVENTHUB_TEST_RUN"] = secrets.token_hex(4)
    if os.environ.get("EVENTHUB_TEST_DATABASE") == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/unused.sqlite3"
    elif not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _until_the_end.enter_context(embedded.postgres()).url
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = _until_the_end.enter_context(embedded.valkey()).url


def _separate(process: str) -> None:
    """Give this process what it must not share with the others."""
    number = int(re.sub(r"\D", "", process) or 0)
    os.environ["REDIS_URL"] = _with_database_number(os.environ["REDIS_URL"], number)
    os.environ["REDIS_PREFIX"] = f"eventhub-test-{os.environ['EVENTHUB_TEST_RUN']}-{process}"
    for name, place in {"MEDIA_ROOT": "media", "STATIC_ROOT": "static"}.items():
        folder = _run_folder() / process / place
        folder.mkdir(parents=True)
        os.environ[name] = str(folder)


def _with_database_number(url: str, further: int) -> str:
    """Move a Redis URL on by some database numbers."""
    number = int(urlsplit(url).path.strip("/") or 0) + further
    return _with_path(url, str(number))


def _with_path(url: str, path: str) -> str:
    parts = urlsplit(url)
    if not parts.netloc:  # SQLite: urlunsplit would leave out the slashes of an empty host
        return f"{parts.scheme}:///{path}"
    return urlunsplit(parts._replace(path=f"/{path}"))


def _run_folder() -> Path:
    return Path(os.environ["EVENTHUB_TEST_FOLDER"])
