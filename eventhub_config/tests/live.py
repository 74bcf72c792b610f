"""Real processes on a test's database: gunicorn, a Celery worker, Beat.

Each is a context manager that waits until its process answers and ends it, whatever happens. Pass it the fixture
``process_environment``, changed as the test needs::

    def test_x(process_environment):
        environment = own_queue(process_environment)
        with web(environment) as server, worker(environment):
            http.get(f"{server.url}/healthz")

What a process says goes to a file; pytest shows it when the test fails inside the ``with``.
"""

from __future__ import annotations

import contextlib
import http
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eventhub_config.development import embedded
from eventhub_config.development.supervisor import end_groups

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 10
SHOWN_CHARACTERS = 20_000

Environment = Mapping[str, str]


@dataclass
class LiveProcess:
    """A process that a test started, the head of its own process group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """Return all that it has said so far."""
        return self.log.read_text(errors="replace")

    def wait_for_output(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Wait until it has said something that matches ``pattern``."""
        deadline = time.monotonic() + seconds
        while True:
            running = self.process.poll() is None
            found = re.search(pattern, self.output())
            if found:
                return found
            assert running, f"{self.name} ended with {self.process.returncode} before it said {pattern!r}"
            assert time.monotonic() < deadline, f"{self.name} did not say {pattern!r} within {seconds} s"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and its children at once, in the middle of whatever they do."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class LiveWeb(LiveProcess):
    """A web server; ``url`` is its address without a slash at the end."""

    url: str = ""


def own_queue(environment: Environment) -> dict[str, str]:
    """Return the environment with a queue and rate limits of its own: other tests' left-over tasks stay away."""
    return {**environment, "REDIS_PREFIX": f"{environment['REDIS_PREFIX']}-{uuid.uuid4().hex[:8]}"}


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Ask again and again until ``condition`` holds; fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"this did not come true within {seconds} s: {condition}"
        time.sleep(0.05)


@contextlib.contextmanager
def web(environment: Environment, workers: int = 2) -> Iterator[LiveWeb]:
    """Run gunicorn on a free port and wait until it has read the application and answers."""
    command = ["gunicorn", "eventhub_config.wsgi", "--bind=127.0.0.1:0", f"--workers={workers}"]
    with _running("web", [*command, "--access-logfile=-", "--no-control-socket"], environment) as started:
        url = started.wait_for_output(r"Listening at: (http://\S+)")[1]
        wait_until(lambda: _answers(started, url), START_SECONDS)
        yield LiveWeb(started.name, started.process, started.log, url)


@contextlib.contextmanager
def worker(environment: Environment, concurrency: int = 2) -> Iterator[LiveProcess]:
    """Run a Celery worker and wait until it takes tasks."""
    name = f"live-{uuid.uuid4().hex[:8]}"
    command = ["celery", "-A", "eventhub_config", "worker", "--loglevel=INFO", f"--concurrency={concurrency}"]
    with _running("worker", [*command, f"--hostname={name}@%h"], environment) as started:
        started.wait_for_output(rf"{name}@\S+ ready")
        yield started


@contextlib.contextmanager
def beat(environment: Environment) -> Iterator[LiveProcess]:
    """Run Beat and wait until it has begun to watch the clock."""
    command = ["celery", "-A", "eventhub_config", "beat", "--loglevel=INFO", "--pidfile="]
    with _running("beat", command, environment, log_level="DEBUG") as started:
        started.wait_for_output(r"beat: Starting")
        yield started


def _answers(started: LiveProcess, url: str) -> bool:
    assert started.process.poll() is None, f"{started.name} ended with {started.process.returncode}"
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=START_SECONDS) as answer:
        return bool(answer.status == http.HTTPStatus.OK)
    return False


@contextlib.contextmanager
def _running(name: str, command: list[str], environment: Environment, log_level: str = "INFO") -> Iterator[LiveProcess]:
    handle, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".log", dir=os.environ.get("EVENTHUB_TEST_FOLDER"))
    with open(handle, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=CHECKOUT,
            env={**environment, "PYTHONUNBUFFERED": "1", "LOG_LEVEL": log_level},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it makes two system calls
        )
    started = LiveProcess(name, process, Path(path))
    try:
        yield started
    except BaseException:
        print(f"--- what {name} said ({path}) ---\n{started.output()[-SHOWN_CHARACTERS:]}\n---")  # noqa: T201
        raise
    finally:
        end_groups([process.pid], STOP_SECONDS, is_alive=lambda _pid: process.poll() is None)
        process.wait()
