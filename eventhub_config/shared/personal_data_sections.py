"""What Event Hub knows about a person, gathered from all apps.

An app lists its sections as ``PERSONAL_DATA`` in its ``personal_data.py``. Erasing goes from the highest app to the
lowest, so that what points to a row goes before the row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventhub_config.shared.registry import contributions


@dataclass(frozen=True)
class Section:
    """One app's part: ``export(user_id)`` returns plain data, ``erase(user_id, now)`` removes what the law lets go."""

    name: str
    export: Callable[[int], Any]
    erase: Callable[[int, datetime], None]


def sections() -> list[Section]:
    """Return the sections of all apps, lower apps first."""
    return [section for _app, listed in contributions("personal_data", "PERSONAL_DATA") for section in listed]


def erase(user_id: int, now: datetime) -> None:
    """Remove a person from every app, the highest first."""
    for section in reversed(sections()):
        section.erase(user_id, now)


def export_of(user_id: int) -> dict[str, Any]:
    """Return everything that the apps know about a user, by section."""
    return {section.name: section.export(user_id) for section in sections()}
