"""Waking workers: after the commit, once, and never for longer than Redis' time-out.

The row is the message; the queue is the alarm clock. A task that could not be sent is not an error: a sweep finds the
row.
"""

import contextlib
import contextvars
import logging
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from celery import Task, current_app
from django.conf import settings
from django.db import transaction
from kombu import Connection
from kombu.exceptions import LimitExceeded
from kombu.pools import producers

from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit

logger = logging.getLogger(__name__)
_asleep = contextvars.ContextVar("asleep", default=False)


def enqueue_on_commit(task: Task[Any, Any], **kwargs: Any) -> None:
    """Send ``task`` with ids as keywords once the transaction has committed (at once outside of one)."""

    # A nested function, not functools.partial: that breaks Django 5.2's log of a failing hook (ticket 36487).
    def send() -> None:
        enqueue(task, **kwargs)

    # Robust: what was committed has happened, whatever is wrong with its message.
    transaction.on_commit(send, robust=True)


def enqueue(task: Task[Any, Any], **kwargs: Any) -> bool:
    """Send ``task`` now: one attempt. Return whether the broker took it."""
    if _asleep.get():
        return False

    def publish() -> None:
        with producers[_connection(os.getpid())].acquire(
            block=True, timeout=settings.REDIS_TIMEOUT_SECONDS
        ) as producer:
            # Ids need no picture of themselves in the message, and making one takes time.
            no_pictures = {"argsrepr": "", "kwargsrepr": ""}  # the stubs do not know them
            task.apply_async(kwargs=kwargs, producer=producer, retry=False, **no_pictures)  # type: ignore[arg-type]

    try:
        circuit.call(publish)
    # LimitExceeded: so many threads wait for a frozen broker that none of the pool's connections became free in time.
    except (RedisUnavailableError, LimitExceeded) as error:
        logger.info("%s was not sent (%s); a sweep will find its row.", task.name, error)
        return False
    return True


@contextlib.contextmanager
def workers_asleep() -> Iterator[None]:
    """Send no tasks meanwhile: for what does its work itself. Whatever it leaves is a row that a sweep finds."""
    token = _asleep.set(True)
    try:
        yield
    finally:
        _asleep.reset(token)


@cache
def _connection(pid: int) -> Connection:
    """Return the publishing connection of this process; the worker's own one must be able to wait longer."""
    timeout = settings.REDIS_TIMEOUT_SECONDS
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    return current_app.connection_for_write(transport_options=options)
