"""Typed readers for the environment.

Each reader remembers the name it read, so that a test can hold ``.env.example`` against the truth. A value that cannot
be read, or must not be used, is collected; ``refuse_if_unsafe`` then stops the start with one line for each.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values


class Environment:
    """The process environment over an optional ``.env`` file."""

    def __init__(self, default_file: Path) -> None:
        named = os.environ.get("ENV_FILE")
        path = default_file if named is None else Path(named) if named else None
        from_file = dotenv_values(path) if path and path.is_file() else {}
        self._values: dict[str, str] = {name: value for name, value in from_file.items() if value is not None}
        self._values.update(os.environ)
        self.names: set[str] = {"ENV_FILE"}
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        self.names.add(name)
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in {"0", "1", "true", "false", "yes", "no", "on", "off"}:
            self.problems.append(f"{name}: set it to 1 or 0, not {value!r}.")
        return value in {"1", "true", "yes", "on"}

    def integer(self, name: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
        raw = self.text(name, str(default))
        try:
            value = int(raw)
        except ValueError:
            self.problems.append(f"{name}: set it to a whole number, not {raw!r}.")
            return default
        if value < at_least:
            self.problems.append(f"{name}: set it to {at_least} or more, not {value}.")
        if at_most is not None and value > at_most:
            self.problems.append(f"{name}: set it to {at_most} or less, not {value}.")
            return default
        return value

    def fraction(self, name: str, default: float) -> float:
        """Read a number from 0 to 1."""
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            self.problems.append(f"{name}: set it to a number from 0 to 1, not {raw!r}.")
            return default
        return value

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            self.problems.append(f"{name}: set it to one of {', '.join(choices)}, not {value!r}.")
            return default
        return value

    def items(self, name: str, default: str = "") -> list[str]:
        """Read a comma-separated list."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def refuse_if_unsafe(self) -> None:
        """Stop the start when anything was wrong.

        :raises ImproperlyConfigured: one line per value, saying what to set.
        """
        if self.problems:
            raise ImproperlyConfigured("Event Hub does not start with these settings:\n  " + "\n  ".join(self.problems))
