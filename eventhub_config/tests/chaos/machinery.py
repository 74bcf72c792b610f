"""All the processes of one Event Hub, and the means to kill, freeze and flush them one by one."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis

from eventhub_config.development import embedded
from eventhub_config.development.supervisor import end_groups

CHECKOUT = Path(__file__).resolve().parents[3]
START_SECONDS = 90
STOP_SECONDS = 10
WEB_WORKERS = 3
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
CELERY = ["celery", "--quiet", "--app=eventhub_config"]


@dataclass
class Part:
    """One of Event Hub's processes, begun anew whenever it has died. What it says is added to one file."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=CHECKOUT,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it makes two system calls
            )

    def kill(self) -> None:
        """End it and all its children at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[int]:
        return children(self.process.pid) if self.process is not None else []

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Machinery:
    """The two servers, the parts that use them, and where all of it can be reached."""

    postgres: embedded.Server
    valkey: embedded.Server
    environment: dict[str, str]
    port: int
    web: Part
    workers: list[Part]
    beats: list[Part]
    frozen: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def parts(self) -> list[Part]:
        return [self.web, *self.workers, *self.beats]

    def start(self) -> None:
        for part in self.parts:
            part.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline or not self.web.is_alive():
                raise SystemExit(f"The web server does not answer:\n{self.web.output()[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        self.resume_everything()
        running = {part.process.pid: part for part in self.parts if part.process is not None}
        end_groups(list(running), STOP_SECONDS, is_alive=lambda pid: running[pid].is_alive())

    def revive(self) -> list[str]:
        """Start what has ended, and return the names of what ended by itself."""
        dead = [part for part in self.parts if not part.is_alive()]
        for part in dead:
            part.start()
        return [part.name for part in dead]

    def answers(self) -> bool:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request("GET", "/healthz")
            return link.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()

    # --- What can be done to it ---------------------------------------------------------------------------------------

    def kill_web_worker(self, chance: random.Random) -> str:
        return _kill_one(self.web.children(), chance)

    def kill_web(self, chance: random.Random) -> str:
        self.web.kill()
        self.web.start()
        return ""

    def kill_celery_child(self, chance: random.Random) -> str:
        return _kill_one([pid for worker in self.workers for pid in worker.children()], chance)

    def kill_celery(self, chance: random.Random) -> str:
        return _again(chance.choice(self.workers))

    def kill_beat(self, chance: random.Random) -> str:
        return _again(chance.choice(self.beats))

    def kill_redis(self, chance: random.Random) -> str:
        self.valkey.kill()
        self.valkey.start()
        return ""

    def flush_redis(self, chance: random.Random) -> str:
        with contextlib.suppress(redis.RedisError):
            redis.Redis.from_url(self.valkey.url, socket_timeout=1).flushall()
        return ""

    def freeze_redis(self, chance: random.Random) -> str:
        self._freeze([self.valkey])
        return ""

    def kill_database_backend(self, chance: random.Random) -> str:
        """PostgreSQL ends all others then, and recovers."""
        assert self.postgres.process is not None
        return _kill_one(children(self.postgres.process.pid), chance)

    def kill_database(self, chance: random.Random) -> str:
        assert self.postgres.process is not None
        # Each backend leads a session of its own, and would go on for a while without its head.
        for pid in [self.postgres.process.pid, *children(self.postgres.process.pid)]:
            _signal(pid, signal.SIGKILL)
        self.postgres.process.wait()
        self.postgres.start()
        return ""

    def freeze_database(self, chance: random.Random) -> str:
        self._freeze([self.postgres])
        return ""

    def resume_everything(self) -> None:
        """Undo what froze."""
        for pid in self.frozen:
            _signal(pid, signal.SIGCONT)
        self.frozen.clear()

    def _freeze(self, servers: list[embedded.Server]) -> None:
        for server in servers:
            assert server.process is not None
            for pid in [server.process.pid, *children(server.process.pid)]:
                _signal(pid, signal.SIGSTOP)
                self.frozen.append(pid)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, check=True, text=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return sorted(int(child) for child, parent in pairs if int(parent) == pid)


def _kill_one(pids: list[int], chance: random.Random) -> str:
    if not pids:
        return "nobody there"
    _signal(chance.choice(pids), signal.SIGKILL)
    return ""


def _again(part: Part) -> str:
    part.kill()
    part.start()
    return part.name


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


# --- Setting it up ----------------------------------------------------------------------------------------------------


def environment_of(postgres: embedded.Server, valkey: embedded.Server, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of all processes: production's, with short deadlines and a gateway that obeys tokens."""
    described = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    unwanted = {*described, *PROXIES, *(name.lower() for name in PROXIES)}
    inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "eventhub_config.settings",
        "ENV_FILE": "",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEBUG": "0",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "PAYMENT_GATEWAY": "mock",
        "MOCK_GATEWAY_TEST_TOKENS": "1",
        "MOCK_GATEWAY_DELAY_MS": "30",  # so that some are killed inside of it
        "HOLD_MINUTES": "1",
        "HOLD_EXTENSION_MINUTES": "1",
        "WAITLIST_OFFER_MINUTES": "1",
        "EXPIRED_HOLDS_ALLOWED": "1000000",
        "MAX_OPEN_HOLDS": "1000",
        "ACCOUNT_RATE": "1000000",
        "ANONYMOUS_RATE": "1000000",
        "JWT_ACCESS_MINUTES": "600",
        "LIST_CACHE_SECONDS": "0",
        "MEDIA_ROOT": str(folder / "media"),
        "STATIC_ROOT": str(folder / "static"),
        **more,
    }


def machinery(
    postgres: embedded.Server, valkey: embedded.Server, environment: dict[str, str], folder: Path, port: int
) -> Machinery:
    def part(name: str, command: list[str]) -> Part:
        return Part(name, command, environment, folder / f"{name}.log")

    gunicorn = ["gunicorn", "--config=python:eventhub_config.gunicorn", "eventhub_config.wsgi"]
    worker = [*CELERY, "worker", "--loglevel=INFO", "--concurrency=2", "--without-gossip", "--without-mingle"]
    beat = [*CELERY, "beat", "--loglevel=INFO", "--pidfile="]
    return Machinery(
        postgres,
        valkey,
        environment,
        port,
        part("web", [*gunicorn, f"--bind=127.0.0.1:{port}", f"--workers={WEB_WORKERS}"]),
        [part(f"worker{number}", [*worker, f"--hostname=chaos{number}@%h"]) for number in (1, 2)],
        [part(f"beat{number}", beat) for number in (1, 2)],
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def servers() -> Iterator[tuple[embedded.Server, embedded.Server, Path]]:
    """Give a PostgreSQL whose acknowledged commits survive its death, a Valkey that keeps nothing, and a folder."""
    with (
        embedded.throw_away_folder("chaos") as folder,
        embedded.postgres(durable=True) as postgres,
        embedded.valkey() as valkey,
    ):
        yield postgres, valkey, folder
