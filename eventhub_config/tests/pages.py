"""Pages of the docs whose commands are run: what is pasted into a terminal, and what the page says one sees then."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIRST_BOOKING = DOCS / "first-booking.md"
ORGANIZING = DOCS / "organizing-an-event.md"
AT_THE_DOOR = DOCS / "at-the-door.md"
API_GUIDE = DOCS / "api.md"
_MARK = "-- end of block --"


@dataclass
class Block:
    """Commands of a page, and what it says they print."""

    commands: str
    shown: str = ""


def blocks_of(page: Path, section: str = "") -> list[Block]:
    """Return the blocks of a page, or of the section of that heading."""
    text = page.read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found: list[Block] = []
    for language, content in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            found.append(Block(content))
        elif language == "text":
            found[-1].shown += content
    assert found, f"{page.name} has no commands under {section!r}"
    return found


def matches(shown: str, printed: str) -> bool:
    """Compare what a page shows with what was printed; ``…`` stands for anything in its line."""
    return re.fullmatch("[^\n]+".join(map(re.escape, shown.split("…"))), printed) is not None


class Terminal:
    """A shell that commands are pasted into, one block after the other. It ends at the first one that fails."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def paste(self, commands: str) -> str:
        """Return what the commands print, errors too."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{commands}\necho '{_MARK}'\n")
        self.process.stdin.flush()
        printed = ""
        for line in self.process.stdout:
            if line == f"{_MARK}\n":
                return printed
            printed += line
        raise AssertionError(f"{commands}\nfailed, having printed\n{printed}")

    def follow(self, block: Block) -> None:
        """Paste a block and compare what it prints with what the page shows."""
        printed = self.paste(block.commands)
        assert matches(block.shown, printed), f"{block.commands}\nshould print\n{block.shown}but did\n{printed}"


@contextlib.contextmanager
def terminal(base: str, folder: Path | None = None) -> Iterator[Terminal]:
    """Open a terminal, in ``folder`` if that is given, for a server at ``base``."""
    with subprocess.Popen(
        ["sh", "-eu"],
        env={"PATH": os.environ["PATH"], "BASE": base},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Terminal(process)
        finally:
            process.kill()
