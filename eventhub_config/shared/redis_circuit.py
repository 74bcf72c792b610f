"""One Redis client and one circuit breaker per process, for every use of Redis.

Redis holds no truth here. A frozen one costs each request its time-out, times each use; so after one time-out or
refusal it is left alone for a while, and everything goes on without it.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)
T = TypeVar("T")

UNREACHABLE = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, BrokerError, OSError)


class RedisUnavailableError(Exception):
    """Redis was skipped, or did not answer in time. What was asked of it may or may not have happened."""


class CircuitBreaker:
    """Skips Redis for ``pause`` seconds after a failure, then lets one caller try."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self._lock = threading.Lock()
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self._closed_again_at

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function``, which uses Redis.

        :raises RedisUnavailableError: the breaker is open, or the call failed and opened it.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._closed_again_at:
                raise RedisUnavailableError("skipped")
            half_open = self._closed_again_at > 0
            if half_open:
                # This caller tries; the others go on without Redis until it knows.
                self._closed_again_at = now + self.pause
        try:
            result = function()
        except UNREACHABLE as error:
            self._closed_again_at = time.monotonic() + self.pause
            logger.warning("Redis is left alone for %.0f s: %s", self.pause, error)
            raise RedisUnavailableError(str(error)) from error
        if half_open:
            self._closed_again_at = 0.0
            logger.info("Redis answers again.")
        return result

    def reset(self) -> None:
        self._closed_again_at = 0.0


circuit = CircuitBreaker(settings.REDIS_PAUSE_SECONDS)


@cache
def client() -> redis.Redis:
    """Return this process's client: short time-outs, no retries of its own."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def key(*parts: object) -> str:
    """Return a key under this installation's prefix."""
    return ":".join([settings.REDIS_PREFIX, *map(str, parts)])
