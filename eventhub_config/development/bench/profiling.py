"""Shows where the time of one kind of request goes: runs it many times in this process, with a profiler and without.

Run by its path, for either side: reads the request as JSON from standard input, takes the project from the environment.
"""

from __future__ import annotations

import cProfile
import gc
import io
import json
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.core.wsgi import get_wsgi_application

TIMED = 400
PROFILED = 400
WARM_UP = 50
LINES = 40


def main() -> None:
    given = json.load(sys.stdin)
    application = get_wsgi_application()
    requests = iter(given["requests"])
    ask = _caller(application, requests, given["expected"])
    for _ in range(WARM_UP):
        ask()
    gc.collect()
    wall, used = time.perf_counter(), time.process_time()
    for _ in range(TIMED):
        ask()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    print(f"\n{wall / TIMED * 1000:.2f} ms per request, of them {used / TIMED * 1000:.2f} ms in Python\n")
    _print_statements(ask)
    _print_profile(ask)


def _caller(application: Any, requests: Iterator[dict[str, Any]], expected: int) -> Callable[[], None]:
    answered = 0

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        nonlocal answered
        answered = int(status[:3])

    def ask() -> None:
        request = next(requests)
        body = request["body"].encode()
        environ = {
            "REQUEST_METHOD": request["method"],
            "PATH_INFO": request["path"],
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json" if body else "",
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request["headers"].items()},
        }
        response = application(environ, start_response)
        content = b"".join(response)
        response.close()
        if answered != expected:
            raise SystemExit(f"{answered} instead of {expected}: {content[:2000].decode(errors='replace')}")

    return ask


def _print_statements(ask: Callable[[], None]) -> None:
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    reset_queries()
    with CaptureQueriesContext(connection) as captured:
        ask()
    print(f"{len(captured)} statements:")
    for query in captured:
        sql = " ".join(query["sql"].split())
        print(
            f"  {float(query['time']) * 1000:4.0f} ms  {sql[:110]}{' … ' + sql[-60:] if len(sql) > 170 else sql[110:]}"
        )


def _print_profile(ask: Callable[[], None]) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(PROFILED):
        ask()
    profile.disable()
    rows = [_Row(*function, *numbers[1:4]) for function, numbers in _stats(profile).items()]
    ours = [row for row in rows if row.file.startswith(f"{Path.cwd()}/") and "/site-packages/" not in row.file]
    _print_rows("What costs most by itself", sorted(rows, key=lambda row: -row.own))
    _print_rows("What costs most with all it calls", sorted(rows, key=lambda row: -row.total))
    _print_rows("The same, of the project's own functions", sorted(ours, key=lambda row: -row.total))


class _Row(NamedTuple):
    file: str
    line: int
    function: str
    calls: int
    own: float
    total: float


def _stats(profile: cProfile.Profile) -> dict[tuple[str, int, str], tuple[int, int, float, float, Any]]:
    stats: Any = pstats.Stats(profile)
    found: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats
    return found


def _print_rows(title: str, rows: list[_Row]) -> None:
    print(f"\n{title} (under the profiler, per request)\n{'calls':>8}{'own ms':>9}{'total ms':>10}")
    for row in rows[:LINES]:
        place = row.file.rpartition("/site-packages/")[2].removeprefix(f"{Path.cwd()}/").removeprefix(sys.base_prefix)
        place = f"{place}:{row.line} " if row.line else ""
        own, total = (seconds / PROFILED * 1000 for seconds in (row.own, row.total))
        print(f"{row.calls / PROFILED:8.1f}{own:9.3f}{total:10.3f}  {place}{row.function}")


if __name__ == "__main__":
    main()
