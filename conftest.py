"""What every test of every app gets: its own counters in Redis, and an eye on the API's contract."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def _contract() -> Iterator[None]:
    """Hold every answer that a test's client gets from ``/api/`` against our OpenAPI document."""
    from django.http import HttpResponseBase
    from django.test import Client

    from eventhub_config.tests.contract import check

    ask = Client.request

    def ask_and_check(client: Client, **environ: Any) -> HttpResponseBase:
        response = ask(client, **environ)
        content = b"" if response.streaming else response.content  # type: ignore[attr-defined]
        method, path = response.request["REQUEST_METHOD"], response.request["PATH_INFO"]  # type: ignore[attr-defined]
        check(method, path, response.status_code, response.headers, content)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", ask_and_check)
        yield


@pytest.fixture(autouse=True)
def _own_counters(settings: Any) -> Iterator[None]:
    """Give each test keys of its own in Redis: the requests of one must not use up the limits of the next."""
    from eventhub_config.shared.redis_circuit import circuit

    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{uuid.uuid4().hex[:8]}"
    circuit.reset()
    yield
    circuit.reset()
