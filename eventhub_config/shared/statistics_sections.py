"""Figures about an event, gathered from all apps.

An app gives its part as ``STATISTICS`` in its ``statistics.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework.serializers import BaseSerializer

from eventhub_config.shared.registry import contributions


@dataclass(frozen=True)
class Section:
    """One app's part: ``of_event(event_id)`` returns what ``serializer`` describes."""

    name: str
    serializer: type[BaseSerializer[Any]]
    of_event: Callable[[int], dict[str, Any]]


def sections() -> list[Section]:
    return [section for _app, section in contributions("statistics", "STATISTICS")]


def statistics_serializer() -> BaseSerializer[Any]:
    """Return what describes the figures of all apps together."""
    return inline_serializer("EventStatistics", {section.name: section.serializer() for section in sections()})


def event_statistics(event_id: int) -> dict[str, Any]:
    """Return the figures of every app about one event, by section."""
    return {section.name: section.of_event(event_id) for section in sections()}
