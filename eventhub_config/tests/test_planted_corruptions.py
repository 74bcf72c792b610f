"""Every check of ``check_integrity`` finds the corruption that it is there for, and no other check mistakes it for its own.

OPS-6, RELIABILITY R15.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.auditing import LINES, audit
from eventhub_config.tests.planted import PLANTS, Plant, guards_of_sqlite_on
from eventhub_config.tests.world import a_world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _guards_and_files(settings, tmp_path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    yield
    guards_of_sqlite_on()


def found() -> set[str]:
    return {finding.check for check in all_checks() for finding in check.findings()}


def audited() -> set[str]:
    return {line.partition(":")[0] for line in audit(connection)}


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_finds(plant: Plant) -> None:
    if plant.needs_postgresql and connection.vendor == "sqlite":
        pytest.skip("SQLite writes this constraint into the table, where it cannot be lifted")
    world = a_world()
    steps = plant.make(world)
    next(steps)
    assert found() == set()
    before = set(audit(connection))

    assert next(steps, "broken") == "broken"

    assert found() == {plant.found_by}
    assert {line.partition(":")[0] for line in set(audit(connection)) - before} == plant.audited


def test_every_check_has_a_corruption_that_it_finds() -> None:
    assert {plant.found_by for plant in PLANTS} == {check.name for check in all_checks()}


def test_every_check_says_what_to_do() -> None:
    assert [check.name for check in all_checks() if not check.remedy.endswith(".")] == []


def test_every_line_of_the_audit_has_a_corruption_that_it_finds() -> None:
    found_ones = {name for plant in PLANTS for name in plant.audited}

    assert {line.name for line in LINES} - found_ones == set()
