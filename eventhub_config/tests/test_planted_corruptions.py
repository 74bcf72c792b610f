"""Every check of ``check_integrity`` finds the corruption that it is there for, and no other takes it for its own.

OPS-6, RELIABILITY R15.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from eventhub_config.shared.integrity import all_checks, checks_by_app
from eventhub_config.tests.auditing import LINES, audit
from eventhub_config.tests.planted import PLANTS, Plant, guards_of_sqlite_on
from eventhub_config.tests.world import World, a_world, undone

APPS = {check.name: app for app, check in checks_by_app()}


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> Iterator[World]:
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(timezone.now(), tick=False):
        yield a_world()
    guards_of_sqlite_on()


def found() -> set[str]:
    return {finding.check for check in all_checks() for finding in check.findings()}


def broken_by(plant: Plant, world: World) -> tuple[set[str], set[str]]:
    """Return which checks and which lines of the audit notice a corruption, and leave the world as it was."""
    with undone():
        steps = plant.make(world)
        next(steps)
        assert found() == set(), f"before {plant}"
        before = set(audit(connection))
        assert next(steps, "broken") == "broken"
        noticed = found(), {line.partition(":")[0] for line in set(audit(connection)) - before}
        guards_of_sqlite_on()
    return noticed


@pytest.mark.parametrize("app", dict.fromkeys(APPS.values()))
def test_finds_each_by_its_own_check_only(app: str, world: World) -> None:
    plants = [plant for plant in PLANTS if APPS[plant.found_by] == app]
    if connection.vendor == "sqlite":  # it writes some constraints into the table, where they cannot be lifted
        plants = [plant for plant in plants if not plant.needs_postgresql]

    noticed = {str(plant): broken_by(plant, world) for plant in plants}

    assert noticed == {str(plant): ({plant.found_by, *plant.also}, plant.audited) for plant in plants}


def test_every_check_has_a_corruption_that_it_finds() -> None:
    assert {plant.found_by for plant in PLANTS} == {check.name for check in all_checks()}


def test_every_line_of_the_audit_has_a_corruption_that_it_finds() -> None:
    assert {name for plant in PLANTS for name in plant.audited} == {line.name for line in LINES}


def test_every_check_says_what_to_do() -> None:
    assert [check.name for check in all_checks() if not check.remedy.endswith(".")] == []
