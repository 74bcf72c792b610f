from collections.abc import Iterator

import kombu.pools
import pytest
from celery import current_app
from pytest_django import Settings

from eventhub_config.development.embedded import Server
from eventhub_config.shared import dispatch, redis_circuit, throttling


@pytest.fixture
def redis_to_disturb(own_valkey: Server, settings: Settings) -> Iterator[Server]:
    """Let this process use a Redis that the test may stop, freeze or flush, for tasks, limits and all else."""
    shared = current_app.conf.broker_url
    settings.REDIS_URL = current_app.conf.broker_url = own_valkey.url
    _connect_anew()
    yield own_valkey
    current_app.conf.broker_url = shared
    settings.REDIS_URL = shared
    _connect_anew()


def _connect_anew() -> None:
    for remembered in (redis_circuit.client, throttling._script, dispatch._connection):
        remembered.cache_clear()
    kombu.pools.reset()
    redis_circuit.circuit.reset()
