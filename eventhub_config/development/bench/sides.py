"""The two sides: Event Hub and the prototype, each with its database, its data, its gunicorn."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

from eventhub_config.development import embedded

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
BARE = HERE / "bare"
WEB_WORKERS = 2
PLAIN_GUNICORN = [f"--workers={WEB_WORKERS}", "--access-logfile=-", "--no-control-socket"]
START_SECONDS = 60
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG")  # of our environment; a setting of this machine must not decide


@dataclass
class Side:
    """One of the two: how it is started and loaded, and where its rows are."""

    name: str
    serve: list[str]  # gunicorn's arguments
    folder: Path
    environment: dict[str, str]
    loader: list[str]
    counts: str  # SQL: for an event, numbers that must all equal its bookings
    arrivals: str  # SQL: for an event, numbers that must all equal who was let in
    data: dict[str, Any] = field(default_factory=dict)

    def load(self, content: Mapping[str, Any]) -> None:
        command = [sys.executable, *self.loader]
        loaded = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=json.dumps(content).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        self.data = json.loads(loaded.stdout)

    def booked(self, event: int) -> list[int]:
        """Return what the database says about an event: numbers that must be the same."""
        return self._ask(self.counts, event)

    def came(self, event: int) -> list[int]:
        """Return what the database says about who was let in to an event: numbers that must be the same."""
        return self._ask(self.arrivals, event)

    def _ask(self, question: str, event: int) -> list[int]:
        connection = psycopg2.connect(self.environment["DATABASE_URL"])
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(question, {"event": event})
            return list(cursor.fetchone() or ())


@dataclass
class Web:
    """A running gunicorn."""

    port: int
    process: subprocess.Popen[bytes]

    def memory(self) -> float | None:
        """Return the mean of the workers' proportional set size in MB (Linux)."""
        with contextlib.suppress(OSError, ValueError, statistics.StatisticsError):
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            return statistics.mean(_proportional_set_size(int(child)) for child in children)
        return None


def _proportional_set_size(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise ValueError(pid)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, of those it started and of those that they started (Linux; else 0).

    Unlike the time on the clock it says the same while others use the machine, nearly.
    """
    try:
        own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    ticks = sum(int(value) for value in own[11:15])  # its own and its reaped children's; Source: proc(5)
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(child)) for child in children)


@contextlib.contextmanager
def web(serve: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> Iterator[Web]:
    """Run gunicorn with these arguments, on a free port of the loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("ab") as output:
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *serve, f"--bind=fd://{listening.fileno()}"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[listening.fileno()],
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it makes two system calls
        )
    try:
        yield Web(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answer(port: int, path: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
    """Return the answer to a GET, with its body read and kept as ``body``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        return response


def cold_start(side: Side, path: str, log: Path) -> float:
    """Return the seconds from starting gunicorn to its first answer."""
    began = time.perf_counter()
    with web(side.serve, side.folder, side.environment, log) as running:
        status = answer(running.port, path).status
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"{side.name} answered {status} to {path}; its log:\n{log.read_text()[-3000:]}")
        return time.perf_counter() - began


def plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def both(postgres: embedded.Server, valkey: embedded.Server, folder: Path) -> tuple[Side, Side]:
    """Return Event Hub and the prototype, each with an empty database on the same server."""
    kept = plain_environment()
    secret = secrets.token_urlsafe(48)
    ours = Side(
        name="Event Hub",
        serve=["--config=python:eventhub_config.gunicorn", f"--workers={WEB_WORKERS}", "eventhub_config.wsgi"],
        folder=CHECKOUT,
        environment={
            **kept,
            "DJANGO_SETTINGS_MODULE": "eventhub_config.settings",
            "ENV_FILE": "",
            "DEBUG": "0",
            "SECRET_KEY": secret,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DATABASE_URL": _new_database(postgres.url, "eventhub"),
            "REDIS_URL": valkey.url,
            "JWT_ACCESS_MINUTES": "600",
            "ANONYMOUS_RATE": "1000000000",
            "ACCOUNT_RATE": "1000000000",
            "PAYMENT_GATEWAY": "mock",
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
        },
        loader=["-m", "eventhub_config.development.bench.our_data"],
        counts="""
            SELECT (SELECT count(*) FROM bookings_booking WHERE event_id = %(event)s AND status = 'confirmed'),
                   (SELECT count(*) FROM bookings_ticket JOIN bookings_booking b ON b.id = booking_id
                     WHERE b.event_id = %(event)s),
                   (SELECT seats_taken FROM events_event WHERE id = %(event)s),
                   (SELECT seats_taken FROM events_tickettype WHERE event_id = %(event)s),
                   (SELECT count(*) FROM notifications_notification
                     WHERE kind = 'booking_confirmed' AND (data->>'event')::bigint = %(event)s),
                   (SELECT count(*) FROM shared_statuschange JOIN bookings_booking b ON b.id = subject_id
                     WHERE subject_type = 'bookings.booking' AND event_id = %(event)s)
        """,
        arrivals="""
            SELECT (SELECT count(*) FROM bookings_ticket WHERE event_id = %(event)s AND status = 'checked_in'),
                   (SELECT count(*) FROM bookings_ticket WHERE event_id = %(event)s AND checked_in_at IS NOT NULL),
                   (SELECT count(*) FROM shared_statuschange JOIN bookings_ticket t ON t.id = subject_id
                     WHERE subject_type = 'bookings.ticket' AND to_status = 'checked_in' AND event_id = %(event)s)
        """,
    )
    prototype = Side(
        name="prototype",
        serve=[*PLAIN_GUNICORN, "prototype.wsgi"],
        folder=BARE,
        environment={
            **kept,
            "DJANGO_SETTINGS_MODULE": "prototype.settings",
            "SECRET_KEY": secret,
            "DATABASE_URL": _new_database(postgres.url, "prototype"),
        },
        loader=["-m", "prototype.data"],
        counts="""
            SELECT (SELECT count(*) FROM prototype_booking WHERE event_id = %(event)s),
                   (SELECT count(*) FROM prototype_ticket JOIN prototype_booking b ON b.id = booking_id
                     WHERE event_id = %(event)s),
                   (SELECT seats_taken FROM prototype_event WHERE id = %(event)s)
        """,
        arrivals="""
            SELECT (SELECT count(*) FROM prototype_ticket JOIN prototype_booking b ON b.id = booking_id
                     WHERE b.event_id = %(event)s AND prototype_ticket.status = 'checked_in')
        """,
    )
    for place in ("media", "static"):
        (folder / place).mkdir()
    return ours, prototype


def _new_database(server_url: str, name: str) -> str:
    with contextlib.closing(psycopg2.connect(server_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def queued_tasks(valkey_url: str) -> int:
    """Return how many tasks wait in Event Hub's queue, and empty it."""
    with contextlib.closing(redis.Redis.from_url(valkey_url)) as client:
        length = int(client.llen("eventhub:eventhub.work"))
        client.delete("eventhub:eventhub.work")
    return length
