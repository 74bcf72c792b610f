"""Which letters can be printed, and in which typeface: no document ever shows an empty box for one that cannot.

Latin, Greek and Cyrillic come with us. ``FONT_FOLDER`` adds others, such as those of East Asia. Scripts whose letters
join or change their order are not among them: unjoined they cannot be read.
"""

import logging
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

logger = logging.getLogger(__name__)

REGULAR, BOLD = "regular", "bold"
# Handsome first, complete second: what Fira Sans has no letter for is written in Noto Sans.
_OURS = {
    REGULAR: (("fontpkg_fira_sans", "FiraSans-Regular.ttf"), ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf")),
    BOLD: (("fontpkg_fira_sans", "FiraSans-SemiBold.ttf"), ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf")),
}
# First and last letters of scripts that need more than one letter after the other: Hebrew to Samaritan (right to left,
# joined), those of India to Mongolia, and the presentation forms of Arabic and Hebrew.
_JOINED = ((0x0590, 0x08FF), (0x0900, 0x109F), (0x1780, 0x18AF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC), (0x10800, 0x10FFF))
# Decoration and what steers other software: nobody misses it where there is no letter for it.
_DISPENSABLE = frozenset({"So", "Sk", "Cf", "Cn", "Co", "Mn", "Me"})
_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
LEFT_OUT = "…"


class Run(NamedTuple):
    """Some letters in one typeface."""

    font: str
    text: str


class Written(NamedTuple):
    """A text as it can be printed. ``has_gaps``: some of its words cannot; they are left out."""

    text: str
    has_gaps: bool


def written(text: str) -> Written:
    """Return a text in one line, with ``…`` in the place of words that no typeface has letters for."""
    plain = "".join(" " if unicodedata.category(c) in _UNWANTED else c for c in unicodedata.normalize("NFC", text))
    words = [_without_decoration(word) for word in plain.split()]
    kept: list[str] = []
    has_gaps = False
    for word in filter(None, words):
        if all(_font_of(character, REGULAR) for character in word):
            kept.append(word)
            continue
        has_gaps = True
        if kept[-1:] != [LEFT_OUT]:
            kept.append(LEFT_OUT)
    line = " ".join(kept)
    if has_gaps:
        logger.warning("No typeface has letters for %s; see FONT_FOLDER.", ", ".join(sorted(_scripts_missing(plain))))
    return Written("" if line == LEFT_OUT else line, has_gaps)


def runs(text: str, weight: str) -> Iterator[Run]:
    """Yield a text in pieces of one typeface each; what none has is left out."""
    for font, together in groupby(text, key=lambda character: _font_of(character, weight)):
        if font:
            yield Run(font, "".join(together))


def width_of(text: str, weight: str, size: float) -> float:
    """Return how wide a text is printed, in points."""
    return sum(pdfmetrics.stringWidth(run.text, run.font, size) for run in runs(text, weight))


def _without_decoration(word: str) -> str:
    return "".join(
        character
        for character in word
        if _font_of(character, REGULAR) or unicodedata.category(character) not in _DISPENSABLE
    )


def _scripts_missing(text: str) -> set[str]:
    """Return the scripts, never the letters: names of people have no business in a log."""
    missing = {c for c in text if not c.isspace() and not _font_of(c, REGULAR)}
    names = {unicodedata.name(c, "UNNAMED").partition(" ")[0] for c in missing - set(LEFT_OUT)}
    return {name for name in names if name} or {"UNNAMED"}


@cache
def _font_of(character: str, weight: str) -> str:
    """Return the name of the first typeface that has a letter; empty: none has."""
    if any(first <= ord(character) <= last for first, last in _JOINED):
        return ""
    return next((font for font in _fonts(weight) if ord(character) in pdfmetrics.getFont(font).face.charToGlyph), "")


@cache
def _fonts(weight: str) -> list[str]:
    """Register the typefaces of a weight, and return their names in the order in which they are asked."""
    ours = [_registered(Path(str(files(package))) / "files" / name) for package, name in _OURS[weight]]
    folder = sorted(Path(settings.FONT_FOLDER).glob("*.tt[fc]")) if settings.FONT_FOLDER else []
    return [font for font in (*ours, *map(_registered, folder)) if font]


@cache
def _registered(path: Path) -> str:
    try:
        font = TTFont(path.name, str(path))
    except (TTFError, OSError) as error:
        logger.warning("The typeface %s cannot be used: %s", path.name, error)
        return ""
    pdfmetrics.registerFont(font)
    return path.name
