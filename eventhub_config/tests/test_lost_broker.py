"""A worker that loses Redis while it has messages in hand."""

import time
from types import SimpleNamespace

import pytest
from celery.concurrency import get_implementation
from celery.concurrency.asynpool import AsynPool
from django.utils import timezone
from kombu.asynchronous import Hub

from eventhub_config.celery import app
from eventhub_config.development.embedded import Server
from eventhub_config.shared.models import Heartbeat
from eventhub_config.tests.live import own_queue, wait_until, worker
from eventhub_config.worker_pool import Pool
from payments.models import Payment
from payments.tests.factories import a_payment

pytestmark = pytest.mark.django_db(transaction=True)

IN_HAND = 3


def test_goes_on_when_a_child_had_ended_meanwhile() -> None:
    """RELIABILITY R9: it ended over the child, which it lists until it has buried it, and cannot watch any more."""
    ended = SimpleNamespace(_sentinel_poll=None)
    hub = Hub()
    try:
        with pytest.raises(ValueError, match="file descriptor"):  # the day Celery mends this, ours can go
            vars(AsynPool)["_track_child_process"](object.__new__(AsynPool), ended, hub)
        Pool._track_child_process(object.__new__(Pool), ended, hub)
        assert hub.readers == {}
    finally:
        hub.close()


def test_its_children_are_kept_by_our_pool() -> None:
    assert get_implementation(app.conf.worker_pool).Pool is Pool


def test_goes_on_when_it_is_back(process_environment: dict[str, str], own_valkey: Server) -> None:
    """RELIABILITY R9: it ended over the messages that it could not put back."""
    environment = own_queue(process_environment) | {"REDIS_URL": own_valkey.url, "MOCK_GATEWAY_DELAY_MS": "2000"}
    payment = a_payment(token="tok_success", now=timezone.now())

    def send(task: str, **kwargs: object) -> None:
        options = {"global_keyprefix": f"{environment['REDIS_PREFIX']}:"}
        with app.connection_for_write(own_valkey.url, transport_options=options) as broker:
            app.send_task(task, kwargs=kwargs, queue=f"{environment['REDIS_PREFIX']}.work", connection=broker)

    with worker(environment, concurrency=1) as working:
        send("payments.process_payment", payment_id=payment.pk)
        wait_until(lambda: Payment.objects.filter(pk=payment.pk, status=Payment.Status.PROCESSING).exists())
        for _ in range(IN_HAND):
            send("eventhub.heartbeat")
        time.sleep(0.5)  # they are fetched; nothing shows that from outside
        own_valkey.kill()
        working.wait_for_output("Connection to broker lost")
        own_valkey.start()
        wait_until(lambda: Payment.objects.filter(pk=payment.pk, status=Payment.Status.COMPLETED).exists())

        before = timezone.now()
        send("eventhub.heartbeat")
        wait_until(lambda: Heartbeat.objects.filter(at__gt=before).exists())
        assert working.process.poll() is None
