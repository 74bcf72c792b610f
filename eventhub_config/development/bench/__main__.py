"""`make bench`: see the package. `--profile booking` shows instead where the time of a request goes."""

from __future__ import annotations

import argparse
import contextlib
import http
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventhub_config.development import embedded
from eventhub_config.development.bench import sides
from eventhub_config.development.bench.content import FEW_SEATS, content
from eventhub_config.development.bench.load import Plan, Result
from eventhub_config.development.bench.sides import Side, Web

CONNECTIONS = 32
WARM_UP_SECONDS = 0.5
FLOOR_SECONDS = 1.0
ATTEMPTS = 1000
COLD_STARTS = 3
UNCACHED = "Event Hub, no cache"
NO_CACHE = {"LIST_CACHE_SECONDS": "0"}
HOST = "127.0.0.1"


@dataclass
class Work:
    """A kind of request that is measured on both sides, or on ours alone."""

    name: str
    title: str
    target: str
    both: bool = True


WORKS = (
    Work("booking", "booking, with Idempotency-Key", ">= 1"),
    Work("plain", "booking, without a key", ">= 1"),
    Work("list", "event list, page of 20", ">= 2"),
    Work("warm", "event list, warm cache", ">= 6"),
    Work("revalidate", "event list, If-None-Match", ">= 6"),
    Work("detail", "event detail", "8 x pretix"),
    Work("detail304", "event detail, If-None-Match", ""),
    Work("checkin", "check-in by code", "8 x pretix"),
    Work("soldout", f"{ATTEMPTS} attempts for {FEW_SEATS} places", "< 2 s"),
)


@dataclass
class Measured:
    """What one phase on one side gave."""

    rate: float
    result: Result
    web_cpu: float  # seconds per request
    database_cpu: float


@dataclass
class Bench:
    ours: Side
    prototype: Side
    webs: dict[str, Web]
    postgres: embedded.Server
    valkey_url: str
    seconds: float
    results: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _used: dict[tuple[str, str], int] = field(default_factory=dict)

    def measure(self, work: Work, side: Side) -> None:
        if work.name in {"booking", "plain"}:
            measured = self._book(work, side, "hot", self.seconds)
        elif work.name == "checkin":
            measured = self._let_in(work, side)
        elif work.name == "soldout":
            measured = self._book(work, side, "scarce", 60)
        else:
            found = self._read(work, side)
            if found is None:
                return
            measured = found
        self.results.setdefault((work.name, side.name), []).append(measured)

    def _web(self, work: Work, side: Side) -> Web:
        return self.webs[UNCACHED if work.name == "list" and side is self.ours else side.name]

    def _processes(self, web: Web) -> list[int]:
        assert self.postgres.process is not None
        return [web.process.pid, self.postgres.process.pid]

    def _read(self, work: Work, side: Side) -> Measured | None:
        path = f"/api/events/{side.data['listed'][0]}/" if work.name.startswith("detail") else "/api/events/"
        headers, expected = {}, http.HTTPStatus.OK
        if work.name in {"revalidate", "detail304"}:
            # Links in the answer carry the host, so that its tag does too.
            tag = sides.answer(self.webs[side.name].port, path, {"Host": HOST}).getheader("ETag")
            if side is self.ours and tag is None:
                return None
            if tag is not None:
                headers, expected = {"If-None-Match": tag}, http.HTTPStatus.NOT_MODIFIED
        requests = [_request("GET", path, headers)]
        measured = self._load(self._web(work, side), requests, requests, self.seconds, repeat=True)
        self._expect(work, side, measured.result, {expected})
        return measured

    def _book(self, work: Work, side: Side, group: str, seconds: float) -> Measured:
        keyed = work.name != "plain"
        tokens = side.data["tokens"]
        warm, hot = self._next_event(side, "hot"), self._next_event(side, group)
        warm_up = _bookings(warm, tokens, keyed=keyed)
        requests = _bookings(hot, tokens, keyed=keyed)
        if group == "scarce":
            requests = requests[:ATTEMPTS]
        sides.queued_tasks(self.valkey_url)
        measured = self._load(self._web(work, side), warm_up, requests, seconds, repeat=False)
        result = measured.result
        self._verify(work, side, warm["event"], result["warm_up_statuses"])
        self._verify(work, side, hot["event"], result["statuses"])
        if side is self.ours:
            self._verify_queue(work, result)
        if group == "scarce":
            expected = {"201": FEW_SEATS, "409": ATTEMPTS - FEW_SEATS}
            if result["statuses"] != expected:
                self.problems.append(f"{side.name}, {work.title}: {result['statuses']} instead of {expected}")
        else:
            self._expect(work, side, result, {http.HTTPStatus.CREATED})
        return measured

    def _let_in(self, work: Work, side: Side) -> Measured:
        door = self._next_event(side, "doors")
        requests = [_as_text(request) for request in _scans(door, side.data["organizer"])]
        few = len(requests) // 5
        measured = self._load(self._web(work, side), requests[:few], requests[few:], self.seconds, repeat=False)
        told, found = _count(measured.result, http.HTTPStatus.OK), side.came(door["event"])
        if set(found) != {told}:
            self.problems.append(f"{side.name}, {work.title}: {told} x 200, but the database has {found}")
        self._expect(work, side, measured.result, {http.HTTPStatus.OK})
        return measured

    def _next_event(self, side: Side, group: str) -> dict[str, Any]:
        number = self._used.get((side.name, group), 0)
        self._used[side.name, group] = number + 1
        event: dict[str, Any] = side.data[group][number]
        return event

    def _load(self, web: Web, warm_up: list[str], requests: list[str], seconds: float, *, repeat: bool) -> Measured:
        before = [sides.cpu_seconds(pid) for pid in self._processes(web)]
        result = generate(
            {
                "port": web.port,
                "connections": CONNECTIONS,
                "warm_up": warm_up,
                "warm_up_seconds": WARM_UP_SECONDS,
                "requests": requests,
                "seconds": seconds,
                "repeat": repeat,
            }
        )
        after = [sides.cpu_seconds(pid) for pid in self._processes(web)]
        requests_done = sum(result["statuses"].values()) + sum(result["warm_up_statuses"].values())
        spent = [(b - a) / requests_done for a, b in zip(before, after, strict=True)]
        return Measured(_rate(result), result, *spent)

    def _expect(self, work: Work, side: Side, result: Result, expected: set[int]) -> None:
        for status, count in result["statuses"].items():
            if int(status) not in expected:
                sample = result["samples"][status][-300:]
                self.problems.append(f"{side.name}, {work.title}: {count} x {status}: {sample}")

    def _verify(self, work: Work, side: Side, event: int, statuses: dict[str, int]) -> None:
        """Hold the database against the answers: bookings, tickets, counters, and on our side messages and history."""
        told, found = statuses.get("201", 0), side.booked(event)
        if set(found) != {told}:
            self.problems.append(f"{side.name}, {work.title}: {told} x 201, but the database has {found}")

    def _verify_queue(self, work: Work, result: Result) -> None:
        told = _count(result, http.HTTPStatus.CREATED)
        queued = sides.queued_tasks(self.valkey_url)
        if queued != told:
            self.problems.append(f"{work.title}: {told} x 201, but {queued} tasks in the queue")


def generate(plan: Plan) -> Result:
    """Run the load generator."""
    command = [sys.executable, "-I", str(sides.HERE / "load.py")]
    done = subprocess.run(command, input=json.dumps(plan).encode(), stdout=subprocess.PIPE, check=True)
    result: Result = json.loads(done.stdout)
    return result


def _bookings(event: dict[str, int], tokens: Iterable[str], *, keyed: bool) -> list[str]:
    return [_as_text(request) for request in _booking_requests(event, tokens, keyed=keyed)]


def _booking_requests(event: dict[str, int], tokens: Iterable[str], *, keyed: bool) -> list[dict[str, Any]]:
    body = json.dumps({"event": event["event"], "tickets": [{"ticket_type": event["ticket_type"]}]})
    requests = []
    for token in tokens:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if keyed:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        requests.append({"method": "POST", "path": "/api/bookings/", "headers": headers, "body": body})
    return requests


def _scans(door: dict[str, Any], token: str) -> list[dict[str, Any]]:
    path = f"/api/events/{door['event']}/check_in/"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return [
        {"method": "POST", "path": path, "headers": dict(headers), "body": json.dumps({"code": code})}
        for code in door["codes"]
    ]


def _request(method: str, path: str, headers: dict[str, str]) -> str:
    return _as_text({"method": method, "path": path, "headers": headers, "body": ""})


def _as_text(request: dict[str, Any]) -> str:
    body = request["body"]
    headers = {"Host": HOST, "Accept": "*/*", **request["headers"]}
    if body:
        headers["Content-Length"] = str(len(body))
    lines = [
        f"{request['method']} {request['path']} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def _count(result: Result, status: int) -> int:
    """Return how often that was answered, while warming up too."""
    answered: list[int] = [result[phase].get(str(int(status)), 0) for phase in ("statuses", "warm_up_statuses")]
    return sum(answered)


def _rate(result: Result) -> float:
    return sum(result["statuses"].values()) / result["elapsed"]


# --- what is printed -------------------------------------------------------------------------------------------------


def print_table(bench: Bench, works: list[Work]) -> None:
    print(
        f"\n{'':34}{'Event Hub':>12}{'prototype':>12}{'ratio':>8}  {'target':<11}{'p50 / p95 / p99 in ms':>24}"
        f"{'prototype':>20}{'CPU ms, web + db':>18}{'prototype':>14}{'ratio':>7}"
    )
    for work in works:
        mine = bench.results.get((work.name, bench.ours.name), [])
        theirs = bench.results.get((work.name, bench.prototype.name), [])
        if not mine:
            print(f"{work.title:34}{'-':>12}")
            continue
        ratio = statistics.median(a.rate / b.rate for a, b in zip(mine, theirs, strict=True))
        if work.name == "soldout":
            shown = [f"{statistics.median(one.result['elapsed'] for one in side):.2f} s" for side in (mine, theirs)]
        else:
            shown = [f"{statistics.median(one.rate for one in side):.0f} /s" for side in (mine, theirs)]
        print(
            f"{work.title:34}{shown[0]:>12}{shown[1]:>12}{ratio:>8.2f}  {work.target:<11}"
            f"{_latencies(mine):>24}{_latencies(theirs):>20}"
            f"{_cpu(mine):>18}{_cpu(theirs):>14}"
            f"{statistics.median(_cpu_ratio(a, b) for a, b in zip(mine, theirs, strict=True)):>7.2f}"
        )


def _latencies(phases: list[Measured]) -> str:
    numbers = (statistics.median(one.result["milliseconds"][name] for one in phases) for name in ("p50", "p95", "p99"))
    return " / ".join(f"{number:.0f}" for number in numbers)


def _cpu(phases: list[Measured]) -> str:
    web = statistics.median(one.web_cpu for one in phases)
    database = statistics.median(one.database_cpu for one in phases)
    return f"{web * 1000:.2f} + {database * 1000:.2f}"


def _cpu_ratio(mine: Measured, theirs: Measured) -> float:
    used = mine.web_cpu + mine.database_cpu
    return (theirs.web_cpu + theirs.database_cpu) / used if used else 0.0


def print_rest(bench: Bench, cold: dict[str, list[float]], floor: Result) -> None:
    def line(title: str, values: list[str]) -> None:
        print(f"{title:34}{values[0]:>12}{values[1]:>12}")

    pair = (bench.ours, bench.prototype)
    memory = [bench.webs[side.name].memory() for side in pair]
    line("memory per web worker (PSS)", ["-" if size is None else f"{size:.0f} MB" for size in memory])
    line(
        "cold start to first answer", [f"{statistics.median(cold[side.name]):.2f} s" if cold else "-" for side in pair]
    )
    print(
        f"\nLoad generator on bare WSGI: {_rate(floor):.0f} /s at {floor['own_cpu'] * 100:.0f} % of a core;"
        f" while measuring at most {_busiest(bench) * 100:.0f} %."
    )
    for problem in bench.problems:
        print(f"PROBLEM {problem}")
    if not bench.problems:
        print("Every 201 is in the database, the counters agree, and so do history, messages and queue.")


def _busiest(bench: Bench) -> float:
    return max(one.result["own_cpu"] for phases in bench.results.values() for one in phases)


# --- the run ---------------------------------------------------------------------------------------------------------


def main() -> int:
    arguments = _arguments()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(embedded.throw_away_folder("bench"))
        postgres = stack.enter_context(embedded.postgres(durable=True))
        valkey = stack.enter_context(embedded.valkey())
        ours, prototype = sides.both(postgres, valkey, folder)
        pairs = 1 if arguments.profile else arguments.pairs
        filling = content(hot=pairs * 6, scarce=pairs, doors=pairs)
        for side in (ours, prototype):
            side.load(filling)
        _say(began, "data is loaded")
        if arguments.profile:
            profile(prototype if arguments.prototype else ours, arguments.profile)
            return 0
        bench, cold, floor = _run(
            stack, ours, prototype, postgres, valkey, folder, arguments, lambda what: _say(began, what)
        )
        print_table(bench, arguments.works)
        print_rest(bench, cold, floor)
        _say(began, "done")
    return 1 if bench.problems else 0


def _run(
    stack: contextlib.ExitStack,
    ours: Side,
    prototype: Side,
    postgres: embedded.Server,
    valkey: embedded.Server,
    folder: Path,
    arguments: argparse.Namespace,
    say: Callable[[str], None],
) -> tuple[Bench, dict[str, list[float]], Result]:
    pair = (ours, prototype)
    cold: dict[str, list[float]] = {}
    if not arguments.only:
        for _ in range(COLD_STARTS):
            for side in pair:
                cold.setdefault(side.name, []).append(
                    sides.cold_start(side, "/api/events/", folder / f"{side.name}.log")
                )
        say("cold starts are measured")
    floor = measure_floor(folder)
    webs = {
        side.name: stack.enter_context(
            sides.web(side.serve, side.folder, side.environment, folder / f"{side.name}.log")
        )
        for side in pair
    }
    webs[UNCACHED] = stack.enter_context(
        sides.web(ours.serve, ours.folder, {**ours.environment, **NO_CACHE}, folder / "uncached.log")
    )
    bench = Bench(ours, prototype, webs, postgres, valkey.url, arguments.seconds)
    for number in range(arguments.pairs):
        for work in arguments.works:
            for side in pair if number % 2 == 0 else reversed(pair):
                bench.measure(work, side)
        say(f"pair {number + 1} of {arguments.pairs} is measured")
    return bench, cold, floor


def measure_floor(folder: Path) -> Result:
    """Measure the load generator against bare WSGI: it must not be what limits the rest."""
    with sides.web(
        [*sides.PLAIN_GUNICORN, "floor:application"], sides.BARE, sides.plain_environment(), folder / "floor.log"
    ) as web:
        requests = [_request("GET", "/", {})]
        return generate(
            {
                "port": web.port,
                "connections": CONNECTIONS,
                "warm_up": requests,
                "warm_up_seconds": WARM_UP_SECONDS,
                "requests": requests,
                "seconds": FLOOR_SECONDS,
                "repeat": True,
            }
        )


def profile(side: Side, what: str) -> None:
    """Print where the time of a request goes."""
    expected = 200
    if what in {"booking", "plain"}:
        requests = _booking_requests(side.data["hot"][0], side.data["tokens"], keyed=what == "booking")
        expected = 201
    elif what == "checkin":
        requests = _scans(side.data["doors"][0], side.data["organizer"])
    else:
        path = f"/api/events/{side.data['listed'][0]}/" if what == "detail" else "/api/events/"
        requests = [{"method": "GET", "path": path, "headers": {}, "body": ""}] * 1000
    for request in requests:
        request["headers"]["Host"] = HOST
    subprocess.run(
        [sys.executable, str(sides.HERE / "profiling.py")],
        cwd=side.folder,
        env={**side.environment, **(NO_CACHE if what == "list" else {}), "PYTHONPATH": str(side.folder)},
        input=json.dumps({"requests": requests, "expected": expected}).encode(),
        check=True,
    )


def _arguments() -> argparse.Namespace:
    names = [work.name for work in WORKS]
    parser = argparse.ArgumentParser(prog="make bench", description="Event Hub beside a bare prototype, as ratios.")
    parser.add_argument("--seconds", type=float, default=3, help="of each phase")
    parser.add_argument("--pairs", type=int, default=3, help="how often both sides take turns")
    parser.add_argument("--only", default="", help=f"some of: {','.join(names)}")
    parser.add_argument(
        "--profile",
        choices=["booking", "plain", "list", "warm", "detail", "checkin"],
        help="where a request's time goes",
    )
    parser.add_argument("--prototype", action="store_true", help="profile the prototype instead")
    arguments = parser.parse_args()
    wanted = [name for name in arguments.only.split(",") if name]
    unknown = set(wanted) - set(names)
    if unknown:
        parser.error(f"--only takes some of {', '.join(names)}; not {', '.join(sorted(unknown))}")
    arguments.works = [work for work in WORKS if not wanted or work.name in wanted]
    return arguments


def _say(began: float, what: str) -> None:
    print(f"[{time.monotonic() - began:3.0f} s] {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
