"""Processes whose connection to the database was cut: by its restart, a failover or an idle time-out of the network."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from eventhub_config.celery import app
from eventhub_config.shared.errors import database_was_lost
from eventhub_config.shared.models import Heartbeat
from eventhub_config.shared.redis_circuit import client
from eventhub_config.tests.live import beat, own_queue, wait_until, worker

pytestmark = pytest.mark.django_db(transaction=True)

_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def test_a_worker_connects_again_by_itself(process_environment: dict[str, str]) -> None:
    """RELIABILITY R9: without the reads of a sweep first, a transaction would mend the connection by chance."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    environment = own_queue(process_environment)

    def send(task: str, **kwargs: object) -> None:
        queue = f"{environment['REDIS_PREFIX']}.work"
        options = {"global_keyprefix": f"{environment['REDIS_PREFIX']}:"}
        with app.connection_for_write(environment["REDIS_URL"], transport_options=options) as broker:
            app.send_task(task, kwargs=kwargs, queue=queue, connection=broker)

    def beat_again() -> None:
        before = Heartbeat.objects.filter(name="worker").first()
        send("eventhub.heartbeat")
        wait_until(lambda: Heartbeat.objects.exclude(at__in=[before.at] if before else []).exists(), seconds=10)

    with worker(environment, concurrency=1):
        for _ in range(2):  # the first may be the one that a worker sends itself when it starts
            beat_again()
        with connection.cursor() as cursor:
            cursor.execute(_CUT)

        send("eventhub.run_job", name="sweep_payments")  # fails; the next one does its work
        beat_again()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, DatabaseError])
def test_a_lost_database_is_told_from(error: type[Error]) -> None:
    """RELIABILITY R9: the plain class is what psycopg2 raises for some connections that break in the middle."""
    assert database_was_lost(error("server closed the connection unexpectedly"))


@pytest.mark.parametrize("error", [IntegrityError, DataError, ProgrammingError])
def test_what_the_database_refuses(error: type[Error]) -> None:
    assert not database_was_lost(error("no"))


def test_beat_waits_for_a_database_that_is_away(process_environment: dict[str, str]) -> None:
    """RELIABILITY R9"""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is never away")
    PeriodicTask.objects.filter(name="heartbeat").update(last_run_at=timezone.now() - timedelta(days=1))
    environment = own_queue(process_environment)
    queue = f"{environment['REDIS_PREFIX']}:{environment['REDIS_PREFIX']}.work"
    with contextlib.ExitStack() as until_the_end:
        with database_away():
            clock = until_the_end.enter_context(beat(environment))
            clock.wait_for_output("The schedule cannot be read")

        wait_until(lambda: client().llen(queue) > 0)
        assert clock.process.poll() is None


@contextlib.contextmanager
def database_away() -> Iterator[None]:
    """Let nobody connect to the tests' database; those that have connected already go on."""
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))

    def allow(*, connections: bool) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {connections}")

    allow(connections=False)
    try:
        yield
    finally:
        allow(connections=True)
