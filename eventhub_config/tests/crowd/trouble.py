"""What makes life hard: processes that die, and the clock."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from celery import Celery

from eventhub_config.tests.live import Environment, LiveProcess

SWEEPS = (
    "sweep_expired_holds",
    "sweep_offers",
    "sweep_waitlists",
    "sweep_cancelled_events",
    "sweep_moved_bookings",
    "sweep_payments",
    "sweep_refunds",
    "process_payment_timeout",
)


@dataclass
class Killer:
    """Kills, without a word, one of the processes that a server or worker has started; its head starts a new one."""

    targets: list[LiveProcess]
    kills: int = 0

    def act(self) -> None:
        victims = [pid for target in self.targets for pid in children(target.process.pid)]
        if victims:
            with suppress(ProcessLookupError):
                os.kill(random.choice(victims), signal.SIGKILL)
                self.kills += 1


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, check=True, text=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


@dataclass
class ShortMinutes:
    """Does what Beat does every minute, whenever it is asked to."""

    environment: Environment

    def act(self) -> None:
        beat = Celery(broker=self.environment["REDIS_URL"])
        prefix = self.environment["REDIS_PREFIX"]
        beat.conf.broker_transport_options = {"global_keyprefix": f"{prefix}:"}
        for name in SWEEPS:
            beat.send_task("eventhub.run_job", kwargs={"name": name}, queue=f"{prefix}.work")
        beat.close()
