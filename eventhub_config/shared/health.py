"""Liveness and readiness.

``/healthz`` says that the process answers. ``/readyz`` says whether it can serve: the database and its migrations
decide; Redis, worker and Beat are told as degraded, because nothing acknowledged is lost without them.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from celery.signals import worker_ready
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from eventhub_config.shared.models import Heartbeat
from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit, client

logger = logging.getLogger(__name__)

SILENT_AFTER = timedelta(minutes=3)  # the heartbeat is sent every minute


def beat(name: str, now: datetime) -> None:
    """Record that a process is at work."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})


def beat_when_worker_starts() -> None:
    """Record the first heartbeat as soon as a worker is ready, rather than a minute later."""
    worker_ready.connect(_worker_is_ready, dispatch_uid="first heartbeat")


def _worker_is_ready(**_: Any) -> None:
    try:
        beat("worker", timezone.now())
    except DatabaseError as error:  # it comes with Beat's next minute
        logger.warning("The first heartbeat was not recorded: %s", error)
    finally:
        connection.close()


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    try:
        missing = _missing_migrations()
        checks: dict[str, Any] = {"database": "ok", "migrations": "missing" if missing else "ok"}
        if not missing:
            checks["worker"] = _worker(timezone.now())
    except DatabaseError:
        checks = {"database": "unreachable"}
    checks["redis"] = _redis()
    ready = checks["database"] == "ok" and checks.get("migrations") == "ok"
    degraded = any(checks.get(part) != "ok" for part in ("redis", "worker"))
    status = "degraded" if ready and degraded else "ok" if ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


_migrated = False


def _missing_migrations() -> bool:
    """Return whether migrations are missing; a yes to "all there" holds for the life of the process."""
    global _migrated  # noqa: PLW0603
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return not _migrated


def _worker(now: datetime) -> str:
    last = Heartbeat.objects.filter(name="worker").values_list("at", flat=True).first()
    return "ok" if last and now - last < SILENT_AFTER else "silent"


def _redis() -> str:
    try:
        circuit.call(lambda: client().ping())
    except RedisUnavailableError:
        return "unreachable"
    return "ok"
