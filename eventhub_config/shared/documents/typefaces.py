"""Which letters can be printed, and in which typeface: no document ever shows an empty box for one that cannot.

Latin, Greek, Cyrillic, Arabic and Devanagari come with us. ``FONT_FOLDER`` adds others, such as those of East Asia.
"""

import logging
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont, shapeStr

logger = logging.getLogger(__name__)

REGULAR, BOLD = "regular", "bold"
# Handsome first, complete second: what Fira Sans has no letter for is written in Noto Sans.
_COMPLETE = (
    ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf"),
    ("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf"),
)
_OURS = {
    REGULAR: (("fontpkg_fira_sans", "FiraSans-Regular.ttf"), *_COMPLETE),
    BOLD: (("fontpkg_fira_sans", "FiraSans-SemiBold.ttf"), *_COMPLETE),
}
LEFT_OUT = "…"

_LINE_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Decoration: nobody misses it where there is no picture for it.
_DECORATION = frozenset({"So", "Sk", "Cf", "Cn", "Co", "Mn", "Me"})
_FROM_RIGHT = frozenset({"R", "AL"})
# Where letters join, change their order or stand above one another: Hebrew to Khmer, and Arabic's own forms.
_JOINED = re.compile("[\u0590-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
# Joiners, which say how the letters beside them are written. All other invisible characters only mislead.
_JOINERS = "\u200c\u200d"


class Written(NamedTuple):
    """A text as it can be printed. ``has_gaps``: some of its words cannot; they are left out."""

    text: str
    has_gaps: bool


class Run(NamedTuple):
    """Some letters in one typeface, as they stand beside one another from left to right."""

    font: str
    text: str


def written(text: str) -> Written:
    """Return a text in one line, with ``…`` in the place of words that no typeface has letters for."""
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(" " if unicodedata.category(c) in _LINE_BREAKS else c for c in composed)
    words = ["".join(_without_decoration(word)) for word in plain.split()]
    kept: list[str] = []
    missing: set[str] = set()
    for word in filter(None, words):
        unknown = [cluster for cluster in _clusters(word) if not _font_of(cluster, REGULAR)]
        missing.update(unknown)
        if not unknown:
            kept.append(word)
        elif kept[-1:] != [LEFT_OUT]:
            kept.append(LEFT_OUT)
    if missing:
        # The scripts, never the letters: names of people have no business in a log.
        scripts = {unicodedata.name(cluster[0], "UNNAMED").partition(" ")[0] for cluster in missing}
        logger.warning("No typeface has letters for these scripts: %s. See FONT_FOLDER.", ", ".join(sorted(scripts)))
    return Written("" if kept == [LEFT_OUT] else " ".join(kept), bool(missing))


def runs(text: str, weight: str, size: float) -> Iterator[Run]:
    """Yield a text in the pieces in which it is printed; what no typeface has letters for is not."""
    for piece in _from_left_to_right(text):
        for font, together in groupby(_clusters(piece), key=lambda cluster: _font_of(cluster, weight)):
            letters = "".join(together)
            if font:
                yield Run(font, _shaped(letters, font, size) if _needs_shaping(letters) else letters)


def width_of(text: str, weight: str, size: float) -> float:
    """Return how wide a text is printed, in points."""
    return sum(pdfmetrics.stringWidth(run.text, run.font, size) for run in runs(text, weight, size))


def _without_decoration(word: str) -> Iterator[str]:
    for cluster in _clusters(word):
        visible = "".join(c for c in cluster if c in _JOINERS or unicodedata.category(c) != "Cf")
        if visible and (_font_of(visible, REGULAR) or unicodedata.category(visible[0]) not in _DECORATION):
            yield visible


def _clusters(text: str) -> Iterator[str]:
    """Yield the letters of a text, each with the marks that belong to it."""
    cluster = ""
    for character in text:
        if cluster and unicodedata.category(character)[0] != "M" and character not in _JOINERS:
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _from_left_to_right(text: str) -> Iterator[str]:
    """Yield a text in pieces in the order of the paper: words of Arabic or Hebrew in a row begin on the right."""
    waiting: list[str] = []
    for word in re.findall(r"\s+|\S+", text):
        from_right = any(unicodedata.bidirectional(character) in _FROM_RIGHT for character in word)
        if from_right or (waiting and word.isspace()):
            waiting.append(word)
        else:
            yield from _turned(waiting)
            waiting = []
            yield word
    yield from _turned(waiting)


def _turned(words: list[str]) -> Iterator[str]:
    after = words.pop() if words and words[-1].isspace() else ""
    yield from reversed(words)
    if after:
        yield after


def _needs_shaping(letters: str) -> bool:
    return bool(_JOINED.search(letters)) or any(unicodedata.category(c)[0] == "M" for c in letters)


def _shaped(letters: str, font: str, size: float) -> str:
    shaped: str = shapeStr(letters, font, size, force=True)
    return shaped


@cache
def _font_of(cluster: str, weight: str) -> str:
    """Return the name of the first typeface that has all letters of a cluster; empty: none has."""
    for font in _fonts(weight):
        letters = pdfmetrics.getFont(font).face.charToGlyph
        if all(ord(character) in letters or character in _JOINERS for character in cluster):
            return font
    return ""


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
