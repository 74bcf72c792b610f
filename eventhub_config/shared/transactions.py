"""``unit_of_work``: the one way to open a transaction that changes state."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from eventhub_config.shared.errors import Busy

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL error codes: lock_not_available, deadlock_detected, serialization_failure.
_CONTENTION = {"55P03", "40P01", "40001"}


def in_unit_of_work() -> bool:
    """Return whether a transaction of ours is open (a test's own wrapping transaction does not count)."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def unit_of_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run a service in one transaction: everything it wrote stands, or nothing does.

    Waiting for a lock is bounded (``DATABASE_LOCK_TIMEOUT_MS``; SQLite's busy time-out). A deadlock or a time-out is
    tried once more from the outside, then told as :class:`Busy`. Called inside another unit of work, it joins that
    one: the outermost decides, and a refusal that the outer one catches must be caught around
    ``transaction.atomic()``.

    :raises Busy: a lock could not be had twice.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if in_unit_of_work():
            with transaction.atomic(savepoint=False):
                return function(*args, **kwargs)
        try:
            with transaction.atomic():
                return function(*args, **kwargs)
        except OperationalError as error:
            if not _is_contention(error):
                raise
            logger.info("Trying %s again after: %s", function.__qualname__, error)
        try:
            with transaction.atomic():
                return function(*args, **kwargs)
        except OperationalError as error:
            if not _is_contention(error):
                raise
            logger.warning("Gave up %s: %s", function.__qualname__, error)
            raise Busy from error

    return run


def _is_contention(error: OperationalError) -> bool:
    code = getattr(error.__cause__, "pgcode", None)
    return code in _CONTENTION or (connection.vendor == "sqlite" and "locked" in str(error))
