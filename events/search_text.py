"""From text to the words that events are found by, alike for documents and for queries: pure functions.

Done here and not by the database, so that PostgreSQL and SQLite cut and compare words in the same way, whatever locale
the database was made with.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator

WORD_LENGTH = 40  # characters kept of a word
QUERY_WORDS = 8  # words of a query that count
LABEL_LENGTH = 400  # characters of a skill's label; PostgreSQL takes no word of more than 2046 bytes
VECTOR_SIZE = 900_000  # bytes of a vector; PostgreSQL takes no more than 1,048,575

# Signs that belong to the letter before them; for Python they are no part of a word: of Hebrew, of Arabic, and whole
# blocks of the Indic and South-East Asian scripts without their dandas.
_SIGNS = (
    r"\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e00-\u109f\u1780-\u17d3\u3099\u309a"
)
# A word, with what some names end in: c++, c#.
_WORD = re.compile(rf"(?:[^\W_]|[{_SIGNS}])+[+#]*")
# Scripts written without spaces are cut into pairs of characters.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_ACCENTS = re.compile(r"[\u0300-\u036f]")
# Letters that Unicode does not take apart into a letter and its mark.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)
# What people put between the words that matter, in the languages most written here.
_FILLERS = """
    a an and at for from in is of on or the to with
    das der die ein eine für im in mit und vom von zu zum zur
    au aux avec dans de des du en et la le les pour sur un une
    con del el los las para por y
    и в на с для о по
"""  # noqa: RUF001 (Cyrillic is meant)


def normalised(text: str) -> str:
    """Return text without accents and case: ``Ärzte`` and ``ARZTE`` are the same, ``й`` and ``и`` too."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", folded)).translate(_PLAIN)


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in order, as they are kept and compared."""
    for match in _WORD.finditer(normalised(text)):
        yield from _cut(match.group())


def query_words(text: str) -> list[str]:
    """Return the words of a query that count, each once, at most ``QUERY_WORDS``."""
    words = list(dict.fromkeys(words_of(text)))
    return ([word for word in words if word not in _PLAIN_FILLERS] or words)[:QUERY_WORDS]


def label_of_skill(skill: str) -> str:
    """Return the one word that stands for a whole skill; no word of a text or a query begins with its sign."""
    label = "_".join(words_of(skill))
    if not label or len(label) > LABEL_LENGTH:  # signs only, or letters that stand for many: 60 of them make 360 pairs
        label = hashlib.blake2b(" ".join(normalised(skill).split()).encode(), digest_size=16).hexdigest()
    return f"={label}"


def vector_of(parts: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return words under their weights (``A`` to ``D``) in the text form of PostgreSQL's ``tsvector``.

    What comes after ``VECTOR_SIZE`` bytes is left out: a long programme in Chinese is hundreds of thousands of pairs.

    Source: PostgreSQL manual, section 8.11.1: at most 256 positions of a word, none above 16383; section 12.11: less
    than a megabyte. ``src/include/tsearch/ts_type.h``: two bytes for a position and for their number, one to align.
    """
    places: dict[str, list[str]] = {}
    position = size = 0
    for weight, words in parts:
        for word in words:
            position = min(position + 1, 16_383)
            size += 2 if word in places else len(word.encode()) + 5
            if size > VECTOR_SIZE:
                break
            found = places.setdefault(word, [])
            if len(found) < 200:
                found.append(f"{position}{weight}")
    return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters are added, dropped, changed or swapped with their neighbour, at most ``limit + 1``.

    Source: optimal string alignment distance, a restricted form of Damerau and Levenshtein's.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last[-1], limit + 1)


def _cut(word: str) -> Iterator[str]:
    start = 0
    for match in _UNSPACED.finditer(word):
        if match.start() > start:
            yield word[start : match.start()][:WORD_LENGTH]
        run = match.group()
        # The last character alone too: it begins no pair, and may be all that is asked for.
        yield from (run[index : index + 2] for index in range(len(run)))
        start = match.end()
    if start < len(word):
        yield word[start:][:WORD_LENGTH]


_PLAIN_FILLERS = frozenset(words_of(_FILLERS))
