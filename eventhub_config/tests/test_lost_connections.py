"""Workers whose connection to the database was cut: by its restart, a failover or an idle time-out of the network."""

import pytest
from django.db import connection

from eventhub_config.celery import app
from eventhub_config.shared.models import Heartbeat
from eventhub_config.tests.live import own_queue, wait_until, worker

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
