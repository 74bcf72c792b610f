"""What breaks, and when: drawn from a seed, or as it broke in a run before."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from eventhub_config.tests.chaos.machinery import Machinery

if TYPE_CHECKING:  # a plan is read before Django is set up
    from eventhub_config.tests.chaos.clients import Lines

EVERY = 0.5  # seconds, on average

# How often each happens, in a hundred. PostgreSQL takes all others with it, and a whole worker or Beat that is begun
# anew costs seconds of a processor: often enough to be hit in any ten minutes, seldom enough that work gets done.
KINDS = {
    "web worker killed": 32,
    "Celery child killed": 30,
    "connections cut": 18,
    "Redis flushed": 5,
    "Redis killed": 4,
    "Redis frozen": 3,
    "database backend killed": 2.5,
    "database killed": 1.5,
    "database frozen": 1.5,
    "Celery worker killed": 1,
    "Beat killed": 1,
    "web server killed": 0.5,
}
FREEZES = {"Redis frozen": (1.0, 3.0), "database frozen": (1.0, 2.0)}  # for how many seconds


class Fault(NamedTuple):
    """One fault of a plan. ``at``: seconds after the beginning; ``draw``: what chooses the victim."""

    at: float
    kind: str
    draw: int
    lasts: float = 0.0


class Broken(NamedTuple):
    """What was really done, and from when to when by the clock of the deeds."""

    fault: Fault
    began: float
    ended: float
    note: str


def plan(seed: int, seconds: float) -> list[Fault]:
    """Return what breaks within so many seconds; the same for the same seed."""
    faults: list[Fault] = []
    chance, at = random.Random(f"faults {seed}"), 0.0
    while True:
        at += chance.expovariate(1 / EVERY)
        if at > seconds:
            return faults
        (kind,) = chance.choices(list(KINDS), list(KINDS.values()))
        lasts = chance.uniform(*FREEZES.get(kind, (0, 0)))
        faults.append(Fault(round(at, 3), kind, chance.randrange(2**32), round(lasts, 3)))


@dataclass
class Breaker:
    """Carries out a plan. In the main thread: what a thread starts dies with it."""

    machinery: Machinery
    lines: Lines
    done: list[Broken] = field(default_factory=list)
    ended_by_themselves: Counter[str] = field(default_factory=Counter)
    thaw_at: float = 0.0

    def carry_out(self, faults: Sequence[Fault], seconds: float) -> None:
        began = time.monotonic()
        for fault in faults:
            self._wait(began + fault.at)
            self._break(fault)
        self._wait(began + seconds)
        self._thaw(now=None)

    def _wait(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._thaw(time.monotonic())
            self.ended_by_themselves.update(self.machinery.revive())
            time.sleep(min(left, 0.1))
        self._thaw(time.monotonic())

    def _thaw(self, now: float | None) -> None:
        if self.machinery.frozen and (now is None or now >= self.thaw_at):
            self.machinery.resume_everything()

    def _break(self, fault: Fault) -> None:
        doings: dict[str, Callable[[random.Random], str]] = {
            "web worker killed": self.machinery.kill_web_worker,
            "Celery child killed": self.machinery.kill_celery_child,
            "connections cut": self.lines.cut,
            "Redis flushed": self.machinery.flush_redis,
            "Redis killed": self.machinery.kill_redis,
            "Redis frozen": self.machinery.freeze_redis,
            "database backend killed": self.machinery.kill_database_backend,
            "database killed": self.machinery.kill_database,
            "database frozen": self.machinery.freeze_database,
            "Celery worker killed": self.machinery.kill_celery,
            "Beat killed": self.machinery.kill_beat,
            "web server killed": self.machinery.kill_web,
        }
        began = time.monotonic()
        if fault.kind in {"Redis killed", "database killed", "Redis flushed"}:
            self._thaw(now=None)  # what is started anew must be able to look at what it was
        note = doings[fault.kind](random.Random(fault.draw))
        if fault.lasts:
            self.thaw_at = max(self.thaw_at, time.monotonic() + fault.lasts)
        self.done.append(Broken(fault, began, time.monotonic() + fault.lasts, note))


def as_json(broken: Broken, beginning: float) -> dict[str, Any]:
    done = {"at": round(broken.began - beginning, 3), "lasted": round(broken.ended - broken.began, 3)}
    return {"fault": broken.fault._asdict(), "note": broken.note, **done}
