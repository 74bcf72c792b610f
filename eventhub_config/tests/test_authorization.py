"""The authorization matrix: the document's operations against the table in ``authorization.py``."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, encode_multipart

from eventhub_config.tests.authorization import BODIES, TABLE, Row, body_for
from eventhub_config.tests.contract import Operation, operations
from eventhub_config.tests.world import IDENTITIES, World, a_world, undone

MULTIPART = "multipart/form-data"
RESOURCES = sorted({operation.resource for operation in operations().values()})


def test_has_a_row_for_each_operation_and_no_other() -> None:
    assert {row.operation_id for row in TABLE} == set(operations())
    assert Row._fields[2:] == IDENTITIES
    assert len({row.name for row in TABLE}) == len(TABLE)


def test_has_a_body_for_each_operation_that_takes_one() -> None:
    assert set(BODIES) == {it.id for it in operations().values() if "requestBody" in it.described}


@pytest.mark.django_db
@pytest.mark.parametrize("resource", RESOURCES)
def test_holds(resource: str) -> None:
    world = a_world()
    rows = [row for row in TABLE if operations()[row.operation_id].resource == resource]

    answered = {row.name: _answers(world, row) for row in rows}

    assert answered == {row.name: {identity: getattr(row, identity) for identity in IDENTITIES} for row in rows}


def _written(operation: Operation, body: dict[str, Any]) -> tuple[Any, str]:
    if MULTIPART not in operation.described.get("requestBody", {}).get("content", ()):
        return json.dumps(body), "application/json"
    files = {name: SimpleUploadedFile(name, content) for name, content in body.items()}
    return encode_multipart(BOUNDARY, files), f"{MULTIPART}; boundary={BOUNDARY}"


def _answers(world: World, row: Row) -> dict[str, int]:
    """Ask as every identity, each time in the same world."""
    operation = operations()[row.operation_id]
    url = operation.url(world.pk(row.about) if "{id}" in operation.path else "")
    body, content_type = _written(operation, body_for(world, row))
    answers = {}
    for identity in IDENTITIES:
        with undone():
            answer = world.client(identity).generic(operation.method.upper(), url, body, content_type)
        answers[identity] = answer.status_code
    return answers
