"""Rate limits, counted atomically over all processes.

A window begins with its first request. General limits are counted in Redis, and let everything through while it is
away. Those that protect passwords and mailboxes (``strict=True``) are counted in the database, always: counts in Redis
begin anew when it is restarted or flushed, and a fallback in the middle of a window would grant the limit twice.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis.commands.core import Script
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from eventhub_config.shared.client_address import client_address
from eventhub_config.shared.models import RateLimitCounter
from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit, client, key

# Counts by ARGV[2] (1, or -1 to give back) and returns the count and the window's remaining milliseconds.
# Nothing is given back to a window that has passed: the next one would allow more.
_COUNT = """
if tonumber(ARGV[2]) < 0 and redis.call('EXISTS', KEYS[1]) == 0 then
  return {0, 0}
end
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


@dataclass(frozen=True)
class Rate:
    """The state of one limit after a request was counted."""

    limit: int
    used: int
    reset_seconds: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.reset_seconds),
        }


@dataclass(frozen=True)
class Limit:
    """At most ``limit`` requests per window for each subject."""

    scope: str
    limit: int
    window: timedelta
    strict: bool = False

    def count(self, subject: str, amount: int = 1) -> Rate | None:
        """Count one request, or as many things as one asks for; None: it could not be counted and may pass."""
        return self._add(subject, amount)

    def give_back(self, subject: str, amount: int = 1) -> None:
        """Take back what was counted (a sign-in that succeeded)."""
        self._add(subject, -amount)

    def _add(self, subject: str, amount: int) -> Rate | None:
        # Subjects can be names that people typed: only their digest is kept.
        digest = hashlib.blake2b(subject.encode(errors="replace"), digest_size=16).hexdigest()
        name = key("rate", self.scope, digest)
        if self.strict:
            return self._add_in_database(name, amount)
        milliseconds = int(self.window.total_seconds() * 1000)
        try:
            used, left = circuit.call(lambda: _script()(keys=[name], args=[milliseconds, amount]))
        except RedisUnavailableError:
            return None
        return Rate(self.limit, int(used), max(1, -(-int(left) // 1000)))

    def _add_in_database(self, name: str, amount: int) -> Rate:
        now = timezone.now()
        table = RateLimitCounter._meta.db_table
        with connection.cursor() as cursor:
            # One atomic statement on both databases: begins a new window when the old one has passed.
            cursor.execute(
                f"INSERT INTO {table} (key, count, expires_at) VALUES (%s, %s, %s) "  # noqa: S608 (our own table name)
                f"ON CONFLICT (key) DO UPDATE SET "
                f"count = CASE WHEN {table}.expires_at <= %s THEN excluded.count "
                f"WHEN {table}.count + %s < 0 THEN 0 ELSE {table}.count + %s END, "
                f"expires_at = CASE WHEN {table}.expires_at <= %s THEN excluded.expires_at ELSE {table}.expires_at END "
                f"RETURNING count, expires_at",
                [name, max(0, amount), now + self.window, now, amount, amount, now],
            )
            used, ends = cursor.fetchone()
        return Rate(self.limit, used, max(1, -(-int((_moment(ends) - now).total_seconds() * 1000) // 1000)))


def _moment(stored: datetime | str) -> datetime:
    """Return a moment as a database's own connection gave it: SQLite has texts, without an offset."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored).replace(tzinfo=UTC)


@cache
def _script() -> Script:
    return client().register_script(_COUNT)


class RequestThrottle(BaseThrottle):
    """The general limit of every API request: by account, or by address for anonymous ones."""

    rate: Rate | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        user = request.user
        if user.is_authenticated:
            limit, subject = Limit("account", settings.ACCOUNT_RATE, timedelta(minutes=1)), str(user.pk)
        else:
            limit, subject = (
                Limit("address", settings.ANONYMOUS_RATE, timedelta(minutes=1)),
                client_address(request._request),
            )
        self.rate = limit.count(subject)
        request._request.rate_limit = self.rate  # type: ignore[attr-defined]  # told by RequestContextMiddleware
        return self.rate is None or not self.rate.exceeded

    def wait(self) -> float | None:
        return float(self.rate.reset_seconds) if self.rate else None


def enforce(limit: Limit, subject: str) -> None:
    """Count one attempt.

    :raises Throttled: the limit is used up.
    """
    rate = limit.count(subject)
    if rate is not None and rate.exceeded:
        raise Throttled(wait=rate.reset_seconds)
