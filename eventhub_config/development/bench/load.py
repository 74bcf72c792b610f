"""The load generator: a process of its own, so that it shares no lock and no memory with what it measures.

Reads a :class:`Plan` as JSON from standard input and writes what came of it to standard output. Raw sockets, one event
loop, requests written beforehand: a few per cent of what a request costs the server. It uses the standard library
only and is run by its path, so that it starts at once.
"""

from __future__ import annotations

import gc
import itertools
import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypedDict

BUFFER = 1 << 18
SILENCE_SECONDS = 60  # without any answer: the server hangs
BROKEN = 0  # the "status" of an answer that never came whole
BODILESS = {204, 304}  # Source: RFC 9110, section 6.4.1


class Plan(TypedDict):
    port: int
    connections: int
    warm_up: list[str]
    warm_up_seconds: float
    requests: list[str]
    seconds: float
    repeat: bool  # the list again and again, or each request once


class Result(TypedDict):
    statuses: dict[str, int]
    warm_up_statuses: dict[str, int]
    elapsed: float
    milliseconds: dict[str, float]
    own_cpu: float  # of one core
    samples: dict[str, str]  # the first answer of each status


class Connection:
    """One client, with one request under way at a time."""

    __slots__ = ("expected", "keeps_alive", "port", "received", "socket", "started", "status")

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None
        self.keeps_alive = False

    def send(self, request: bytes, selector: selectors.BaseSelector) -> None:
        self.started = time.perf_counter()
        self.received = b""
        self.expected = self.status = -1
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self.socket, selectors.EVENT_READ, self)
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what has come, and return whether the answer is complete."""
        assert self.socket is not None
        try:
            chunk = self.socket.recv(BUFFER)
        except OSError:
            chunk = b""
        if not chunk:
            if self.expected >= 0 or self.status < 0:
                self.status = BROKEN
            self.keeps_alive = False
            return True
        self.received += chunk
        if self.status < 0:
            self._read_head()
        return 0 <= self.expected <= len(self.received)

    def _read_head(self) -> None:
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.received[:end].lower() + b"\r\n"
        self.status = int(head[9:12])
        self.keeps_alive = b"\r\nconnection: close\r\n" not in head
        if self.status in BODILESS:
            self.expected = end + 4
            return
        _, found, rest = head.partition(b"\r\ncontent-length:")
        if found:
            self.expected = end + 4 + int(rest[: rest.index(b"\r\n")])

    def close(self, selector: selectors.BaseSelector) -> None:
        if self.socket is not None:
            selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


class Phase:
    """Some seconds of load: every connection sends its next request as soon as its last was answered."""

    def __init__(self, port: int, connections: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.connections = [Connection(port) for _ in range(connections)]
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.samples: dict[int, bytes] = {}
        self.elapsed = 0.0

    def run(self, requests: Iterator[bytes], seconds: float) -> None:
        began = time.perf_counter()
        until = began + seconds
        busy = 0
        for connection in self.connections:
            busy += self._next(connection, requests, until)
        while busy:
            ready = self.selector.select(SILENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"No answer for {SILENCE_SECONDS} s.")
            for key, _ in ready:
                answered: Connection = key.data
                if answered.receive():
                    self._note(answered)
                    busy -= 1
                    busy += self._next(answered, requests, until)
        self.elapsed = time.perf_counter() - began
        for connection in self.connections:
            connection.close(self.selector)
        self.selector.close()

    def _next(self, connection: Connection, requests: Iterator[bytes], until: float) -> bool:
        if not connection.keeps_alive:
            connection.close(self.selector)
        request = next(requests, None) if time.perf_counter() < until else None
        if request is None:
            connection.close(self.selector)
            return False
        connection.send(request, self.selector)
        return True

    def _note(self, connection: Connection) -> None:
        self.latencies.append(time.perf_counter() - connection.started)
        self.statuses[connection.status] += 1
        if connection.status not in self.samples:
            self.samples[connection.status] = connection.received


def percentiles(latencies: list[float]) -> dict[str, float]:
    """Return the nearest-rank percentiles in milliseconds."""
    ordered = sorted(latencies)
    if not ordered:
        return {}
    return {f"p{percent}": ordered[(len(ordered) - 1) * percent // 100] * 1000 for percent in (50, 95, 99)}


def perform(plan: Plan) -> Result:
    warm_up = Phase(plan["port"], plan["connections"])
    _run(warm_up, plan["warm_up"], plan["warm_up_seconds"], repeat=plan["repeat"])
    measured = Phase(plan["port"], plan["connections"])
    before = _cpu_seconds()
    _run(measured, plan["requests"], plan["seconds"], repeat=plan["repeat"])
    return {
        "statuses": _named(measured.statuses),
        "warm_up_statuses": _named(warm_up.statuses),
        "elapsed": measured.elapsed,
        "milliseconds": percentiles(measured.latencies),
        "own_cpu": (_cpu_seconds() - before) / measured.elapsed,
        "samples": {str(status): body.decode(errors="replace") for status, body in measured.samples.items()},
    }


def _run(phase: Phase, requests: list[str], seconds: float, *, repeat: bool) -> None:
    encoded = [request.encode() for request in requests]
    phase.run(itertools.cycle(encoded) if repeat else iter(encoded), seconds)


def _named(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(statuses.items())}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    plan: Plan = json.load(sys.stdin)
    gc.disable()
    result: Any = perform(plan)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
