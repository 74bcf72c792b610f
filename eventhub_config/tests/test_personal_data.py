"""The registry of personal data: empty until an app contributes, and then in the right order."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

from eventhub_config.shared.personal_data_sections import Section, erase, export_of, sections

NOW = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def erased() -> Iterator[list[str]]:
    """Let two apps contribute; give the list of what was erased."""
    order: list[str] = []

    def section(app: str) -> Section:
        def forget(user_id: int, now: datetime) -> None:
            order.append(f"{app} {user_id}")

        return Section(app, lambda user_id: {"id": user_id}, forget)

    for app in ("users", "bookings"):
        name = f"{app}.personal_data"
        module: Any = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.PERSONAL_DATA = [section(app)]
        sys.modules[name] = module
    yield order
    for app in ("users", "bookings"):
        del sys.modules[f"{app}.personal_data"]


def test_is_empty_until_an_app_contributes() -> None:
    assert sections() == []
    assert export_of(7) == {}


def test_exports_by_section_and_erases_from_the_highest_app_down(erased: list[str]) -> None:
    assert export_of(7) == {"users": {"id": 7}, "bookings": {"id": 7}}

    erase(7, NOW)

    assert erased == ["bookings 7", "users 7"]
