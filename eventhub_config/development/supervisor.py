"""What `make run` runs: Event Hub's web, worker and beat in one terminal, with all they need.

Everything it starts ends with it. Each child leads a process group of its own, so that its own children can be ended
too, and a watchdog process ends the groups when this one is killed and can no longer do it.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dotenv import dotenv_values

from eventhub_config.development import embedded, environment_file

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT / ".data"
DEFAULT_PORT = "8000"
READY_SECONDS = 90
PATIENCE_SECONDS = 8  # between asking a child to end and making it
COLOURS = {"web": 36, "worker": 32, "beat": 33, "redis": 35}  # Source: ECMA-48, SGR
NAME_WIDTH = max(map(len, COLOURS))


class CannotRun(Exception):
    """Why Event Hub does not run, for the person at the terminal."""


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass
class Child:
    """A process of ours and its name in the output."""

    name: str
    process: subprocess.Popen[bytes]


class Supervisor:
    def __init__(self, port: int, watchdog: Watchdog) -> None:
        self.port = port
        self.watchdog = watchdog
        self.children: list[Child] = []
        self.asked_to_stop = False
        self.hurry = False
        self._output = threading.Lock()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def run(self) -> None:
        """Run until somebody stops us.

        :raises CannotRun: a part did not start, or ended by itself.
        :raises Stopped: as asked.
        """
        with contextlib.ExitStack() as servers:
            own_database = not os.environ.get("DATABASE_URL")
            if not os.environ.get("REDIS_URL"):
                os.environ["REDIS_URL"] = self._start_redis(servers)
            sign_ins = self._prepare(own_database=own_database)
            try:
                self._start_parts()
                self._wait_until_ready()
                self._say(_banner(self.port, sign_ins))
                while True:
                    self._check()
                    time.sleep(0.1)
            finally:
                self._end_children()

    def request_stop(self, *_: object) -> None:
        self.hurry = self.asked_to_stop
        self.asked_to_stop = True

    def _start_redis(self, servers: contextlib.ExitStack) -> str:
        try:
            server = servers.enter_context(embedded.valkey(keep_in=DATA / "redis"))
        except embedded.ServerUnavailable as reason:
            raise CannotRun(str(reason)) from None
        assert server.process is not None
        self._look_after(Child("redis", server.process))
        return server.url

    def _prepare(self, *, own_database: bool) -> str:
        """Migrate and load demo data; return the demo sign-ins."""
        command = [sys.executable, "-m", "eventhub_config.development.preparation"]
        process = self._spawn(command + ["--own-database"] * own_database, stderr=None)
        self.watchdog.look_after(process.pid)
        try:
            while process.poll() is None:
                self._check()
                time.sleep(0.05)
        finally:
            self._end([process], patience=1)
        if process.returncode:
            raise CannotRun("The database could not be prepared; the reason stands above.")
        assert process.stdout is not None
        return process.stdout.read().decode()

    def _start_parts(self) -> None:
        celery = ["celery", "--quiet", "--app=eventhub_config"]
        worker = ["worker", "--loglevel=INFO", "--concurrency=2", "--without-gossip", "--without-mingle"]
        gunicorn = ["gunicorn", "--config=python:eventhub_config.gunicorn", "eventhub_config.wsgi"]
        self._start("web", [*gunicorn, f"--bind=127.0.0.1:{self.port}"])
        self._start("worker", [*celery, *worker, f"--hostname={_worker_name()}"])
        self._start("beat", [*celery, "beat", "--loglevel=INFO", "--pidfile="])

    def _start(self, name: str, command: list[str]) -> None:
        process = self._spawn([sys.executable, "-m", *command], stderr=subprocess.STDOUT)
        self._look_after(Child(name, process))
        assert process.stdout is not None
        threading.Thread(target=self._pass_on, args=(name, process.stdout), daemon=True).start()

    def _spawn(self, command: list[str], stderr: int | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it makes two system calls
        )

    def _look_after(self, child: Child) -> None:
        self.children.append(child)
        self.watchdog.look_after(child.process.pid)

    def _check(self) -> None:
        """:raises Stopped, CannotRun: we should not go on."""
        if self.asked_to_stop:
            raise Stopped
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise CannotRun(f"{child.name} ended by itself ({_ending(code)}), so everything ends.")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting_for = {"web": lambda: _web_answers(self.port), "worker": _worker_answers}
        while waiting_for:
            self._check()
            for name, answers in list(waiting_for.items()):
                if answers():
                    del waiting_for[name]
            if waiting_for and time.monotonic() > deadline:
                raise CannotRun(f"After {READY_SECONDS} s there is no answer from: {', '.join(waiting_for)}.")
            time.sleep(0.1)

    def _pass_on(self, name: str, output: IO[bytes]) -> None:
        label = f"{name:{NAME_WIDTH}} |"
        if self._coloured:
            label = f"\x1b[{COLOURS[name]}m{label}\x1b[0m"
        for line in output:
            self._say(f"{label} {line.decode(errors='replace').rstrip()}")

    def _say(self, text: str) -> None:
        try:
            with self._output:
                print(text, flush=True)
        except OSError:  # nobody reads any more: the terminal or the pipe is gone
            self.asked_to_stop = True

    def _end_children(self) -> None:
        """End the parts before Redis, which they still need."""
        self._end([child.process for child in self.children if child.name != "redis"], PATIENCE_SECONDS)

    def _end(self, processes: list[subprocess.Popen[bytes]], patience: float) -> None:
        of = {process.pid: process for process in processes}
        end_groups(list(of), patience, is_alive=lambda pid: of[pid].poll() is None and not self.hurry)
        for process in processes:
            process.wait()


class Watchdog:
    """A process that lives a little longer than this one and ends the groups it was told of, if this one cannot.

    It shares the checkout's lock, so that the next run waits for it.
    """

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._writing)
                self._watch(reading)
            finally:
                os._exit(0)
        os.close(reading)

    def look_after(self, group: int) -> None:
        os.write(self._writing, f"{group}\n".encode())

    def dismiss(self) -> None:
        """Let it go: everything has ended in order."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    @staticmethod
    def _watch(reading: int) -> None:
        os.setsid()  # out of reach of the terminal's Ctrl-C
        for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(ignored, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        with os.fdopen(reading) as groups:  # ends when the supervisor does, however it does
            end_groups([int(group) for group in groups], patience=3, is_alive=_exists)


def end_groups(leaders: list[int], patience: float, is_alive: Callable[[int], bool]) -> None:
    """Ask the leaders of process groups to end, wait some seconds for them, then end what is left of the groups.

    Only the leader is asked: a worker's child that got the signal too would drop the task in its hands.
    """
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(is_alive(leader) for leader in leaders) and time.monotonic() < deadline:
        time.sleep(0.05)
    for leader in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, for a dead group
            os.killpg(leader, signal.SIGKILL)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _web_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    return False


def _worker_answers() -> bool:
    from kombu.exceptions import OperationalError

    from eventhub_config.celery import app

    with contextlib.suppress(OperationalError, OSError):
        return bool(app.control.ping(destination=[_worker_name()], timeout=1))
    return False


def _worker_name() -> str:
    return f"run-{os.getpid()}@{socket.gethostname()}"  # another checkout's worker may share the Redis


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _banner(port: int, sign_ins: str) -> str:
    here = f"http://localhost:{port}"
    lines = [
        "Event Hub is running.",
        "",
        f"  API            {here}/api/",
        f"  Documentation  {here}/api/docs/  (or {here}/api/redoc/)",
        f"  Admin          {here}/admin/",
        "",
        *([f"  {line}".rstrip() for line in sign_ins.splitlines()] + [""] if sign_ins.strip() else []),
        "Ctrl-C ends everything.",
    ]
    width = max(map(len, lines))
    return "\n".join(["", "=" * width, *lines, "=" * width, ""])


# --- before anything runs ----------------------------------------------------------------------------------------


def _make_environment_file() -> None:
    if "ENV_FILE" not in os.environ and environment_file.write(DEBUG="1"):
        print("Wrote .env for development: DEBUG=1, this machine's hosts, mock payments, demo data, new secrets.")


def _take_over_from_environment_file() -> None:
    """Let ``.env`` say what the process environment does not."""
    given = dotenv_values(os.environ.get("ENV_FILE", environment_file.ENVIRONMENT_FILE) or None)
    for name in ("DATABASE_URL", "REDIS_URL", "PORT", "PUBLIC_URL", "MOCK_GATEWAY_CALLBACK_URL"):
        os.environ.setdefault(name, given.get(name) or "")


def _free_port() -> int:
    wanted = os.environ.get("PORT") or DEFAULT_PORT
    if not (wanted.isdecimal() and 0 < int(wanted) <= 65535):
        raise CannotRun(f"PORT={wanted} is not a port: choose a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(wanted)))
            probe.listen()
        except PermissionError:
            raise CannotRun(f"Port {wanted} is reserved on this machine. Choose another: make run PORT=8001") from None
        except OSError:
            raise CannotRun(f"Port {wanted} is in use by another program. Choose another: make run PORT=8001") from None
    return int(wanted)


@contextlib.contextmanager
def _only_run() -> Iterator[None]:
    """Hold the checkout's two locks: ours alone, and one that the watchdog shares until it is done.

    :raises CannotRun: another run holds them.
    """
    DATA.mkdir(exist_ok=True)
    with (DATA / "run.lock").open("a+") as file:
        if not _locked(fcntl.lockf, file):  # this kind is not inherited by a fork
            file.seek(0)
            raise CannotRun(f"Event Hub runs in this checkout already (process {file.read()}). End that run first.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(fcntl.flock, file):  # this kind is
            if time.monotonic() > deadline:
                raise CannotRun("A run that was killed is still ending here. Try again in a moment.")
            time.sleep(0.1)
        yield


def _locked(lock: Callable[[IO[str], int], object], file: IO[str]) -> bool:
    try:
        lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main() -> int:
    os.chdir(CHECKOUT)
    try:
        with _only_run():
            _make_environment_file()
            _take_over_from_environment_file()
            port = _free_port()
            os.environ["PUBLIC_URL"] = os.environ["PUBLIC_URL"] or f"http://localhost:{port}"
            callbacks = f"http://127.0.0.1:{port}/api/payments/callbacks/mock/"
            os.environ["MOCK_GATEWAY_CALLBACK_URL"] = os.environ["MOCK_GATEWAY_CALLBACK_URL"] or callbacks
            _supervise(port)
    except Stopped:
        print("\nEvent Hub has ended.")
    except CannotRun as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    return 0


def _supervise(port: int) -> None:
    watchdog = Watchdog()
    try:
        supervisor = Supervisor(port, watchdog)
        for stopping in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(stopping, supervisor.request_stop)
        if "MAKELEVEL" in os.environ:  # make may be killed, and we with it
            embedded.be_signalled_when_parent_dies(signal.SIGTERM)
        supervisor.run()
    finally:
        watchdog.dismiss()


if __name__ == "__main__":
    sys.exit(main())
