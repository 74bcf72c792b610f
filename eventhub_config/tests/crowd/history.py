"""What a crowd did and was answered: each deed is acknowledged, refused, broken (5xx), or of unknown outcome."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ACKNOWLEDGED, REFUSED, BROKEN, UNKNOWN = "acknowledged", "refused", "broken", "unknown"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: nothing did, and whether it was done is unknown."""

    status: int
    code: str
    body: dict[str, Any]
    replayed: bool = False

    @property
    def outcome(self) -> str:
        if not self.status:
            return UNKNOWN
        if self.status >= 500:
            return BROKEN
        return ACKNOWLEDGED if self.status < 400 else REFUSED


class Deed(NamedTuple):
    """One intent of one user, however often it was sent. ``subject`` is what it was about, ``made`` what came of it."""

    user: int
    what: str
    event: int
    subject: int
    outcome: str
    status: int
    code: str
    made: int
    tries: int
    began: float
    ended: float


@dataclass
class History:
    """All deeds, in the order in which they ended. Threads may add at the same time."""

    deeds: list[Deed]

    def of(self, what: str, *outcomes: str) -> Iterator[Deed]:
        return (deed for deed in self.deeds if deed.what == what and deed.outcome in (outcomes or (deed.outcome,)))

    def count(self, what: str, *outcomes: str) -> int:
        return sum(1 for _ in self.of(what, *outcomes))

    def broken(self) -> list[str]:
        """Return what was answered with 5xx: nothing, one hopes."""
        return [f"{deed.what}: {deed.status} {deed.code}" for deed in self.deeds if deed.outcome == BROKEN]

    def table(self) -> str:
        """Return a line for each kind of deed: how often, what was answered, how long it took."""
        lines = []
        for what in sorted({deed.what for deed in self.deeds}):
            deeds = list(self.of(what))
            answers = Counter(deed.code or deed.outcome for deed in deeds)
            told = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
            times = sorted(deed.ended - deed.began for deed in deeds)
            p50, p99 = times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000
            lines.append(f"{what:20}{len(deeds):8}{p50:8.0f} ms{p99:8.0f} ms  {told}")
        return "\n".join([f"{'':20}{'deeds':>8}{'p50':>11}{'p99':>11}", *lines])

    def write(self, path: Path) -> None:
        """Keep the history as JSON, one deed a line."""
        path.write_text("".join(json.dumps(deed._asdict()) + "\n" for deed in self.deeds))
