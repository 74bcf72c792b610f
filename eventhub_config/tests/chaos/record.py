"""What is kept of a run: its seed, all deeds, all faults, all findings, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from eventhub_config.tests.chaos.faults import Broken, Fault, as_json

if TYPE_CHECKING:  # what is replayed is read before Django is set up
    from eventhub_config.tests.chaos.clients import Chronicle


class Replay(NamedTuple):
    seed: int
    minutes: float
    control: bool
    faults: list[Fault]


def write(
    path: Path,
    header: dict[str, Any],
    history: Chronicle,
    broken: Sequence[Broken],
    beginning: float,
    end: dict[str, Any],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:

        def line(content: dict[str, Any]) -> None:
            file.write(json.dumps(content, default=str) + "\n")

        line({"run": header})
        for one in broken:
            line(as_json(one, beginning))
        for position, deed in enumerate(history.deeds):
            told = deed._asdict()
            told["began"], told["ended"] = round(deed.began - beginning, 4), round(deed.ended - beginning, 4)
            mark = history.marks.get(position)
            line({"deed": told, **({"mark": mark} if mark else {}), "keyed": position not in history.keyless})
        line({"end": end})


def read(path: Path) -> Replay:
    """Return what is needed to do the same again: the seed, and each fault at the moment when it really came."""
    faults: list[Fault] = []
    header: dict[str, Any] = {}
    with path.open() as file:
        for text in file:
            line = json.loads(text)
            header = line.get("run", header)
            if "fault" in line:
                faults.append(Fault(**{**line["fault"], "at": line["at"]}))
    return Replay(header["seed"], header["minutes"], header["control"], faults)
