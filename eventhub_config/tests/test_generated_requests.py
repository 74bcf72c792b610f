"""Requests that nobody thought of: schemathesis draws them from our document, valid and invalid, NUL included.

In-process, with fixed draws, so that a failure comes again; a longer search with other draws is worth an hour now and
then: ``EVENTHUB_GENERATED_CASES=2000 make test ARGS="-k generated --timeout=0"``.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import hypothesis
import pytest
import requests
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eventhub_config.tests import contract
from eventhub_config.tests.world import World, a_world, undone

CASES = int(os.environ.get("EVENTHUB_GENERATED_CASES", "16"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SEARCH = hypothesis.settings(
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Ids that exist, so that requests get past "not found": by resource for the path, by field for a body or a query.
OF_RESOURCE = {
    "users": "owner",
    "organizers": "organizer",
    "events": "draft",
    "sessions": "session",
    "ticket-types": "ticket_type",
    "bookings": "booking",
    "tickets": "ticket",
    "waitlist": "offer",
    "payments": "payment",
    "refunds": "refund",
    "invoices": "invoice",
    "notifications": "notification",
}
OF_FIELD = {"event": "free_event", "ticket_type": "ticket_type", "booking": "unpaid_booking", "payment": "payment"}


# Those who get furthest come most often.
CALLERS = ("owner", "organizer", "admin", "owner", "organizer", "admin", "other_organizer", "anonymous")


def to_draw() -> Iterator[tuple[str, GenerationMode]]:
    for operation in contract.operations().values():
        yield operation.id, GenerationMode.POSITIVE
        if operation.described.get("parameters") or "requestBody" in operation.described:  # something to get wrong
            yield operation.id, GenerationMode.NEGATIVE


@cache
def described() -> Any:
    return from_dict(contract.document())


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep Django from closing, between requests, the connection that the test's transaction is on."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize(("operation_id", "mode"), [pytest.param(*it, id=f"{it[0]}-{it[1].value}") for it in to_draw()])
def test_are_answered_as_documented(operation_id: str, mode: GenerationMode, settings: Settings) -> None:
    """RELIABILITY I1, I2, I3"""
    settings.ANONYMOUS_RATE = settings.ACCOUNT_RATE = 10**9
    settings.SIGN_IN_ACCOUNT_LIMIT = settings.SIGN_IN_ADDRESS_LIMIT = settings.IMAGE_UPLOADS_PER_HOUR = 10**9
    world, application = a_world(), get_wsgi_application()
    operation = contract.operations()[operation_id]
    drawn = described()[operation.path][operation.method.upper()].as_strategy(generation_mode=mode)

    @SEARCH
    @given(case=drawn, identity=st.sampled_from(CALLERS), known=st.sampled_from([True, True, False]))
    def ask(case: Case, identity: str, known: bool) -> None:
        if known:
            _name_what_exists(case, world, operation)
        token = world.tokens.get(identity)
        headers = {"Authorization": f"Bearer {token.access}"} if token else {}
        with undone():
            answer = case.call(app=application, base_url="http://testserver", headers=headers)
        case.validate_response(answer, checks=CHECKS)
        told = {name: values[0] for name, values in answer.headers.items()}
        _hold_against_the_contract(operation, answer.status_code, told, answer.content)

    ask()


def _name_what_exists(case: Case, world: World, operation: contract.Operation) -> None:
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = world.pk(OF_RESOURCE[operation.resource])
    for container in (case.body, case.query):
        if isinstance(container, dict):
            for name, thing in OF_FIELD.items():
                if isinstance(container.get(name), int):
                    container[name] = world.pk(thing)


def _hold_against_the_contract(
    operation: contract.Operation, status: int, headers: Mapping[str, str], content: bytes
) -> None:
    contract.check(operation.method, operation.url(), status, requests.structures.CaseInsensitiveDict(headers), content)
