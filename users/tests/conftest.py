import uuid
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from eventhub_config.shared.redis_circuit import circuit


@pytest.fixture(autouse=True)
def own_counters(settings: Settings) -> Iterator[None]:
    """Give each test its own keys in Redis: sign-ins of one must not use up the limits of the next."""
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{uuid.uuid4().hex[:8]}"
    circuit.reset()
    yield
    circuit.reset()
