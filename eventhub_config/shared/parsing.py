"""JSON bodies: strict, bounded, and free of what PostgreSQL cannot store."""

from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from eventhub_config.shared.errors import PayloadTooLarge

# orjson reads bodies that are four times as deep as what it writes; Python's own recursion ends somewhere in between.
DEEPEST = 64


class StrictJSONParser(BaseParser):
    """Reads UTF-8 JSON of limited size and depth.

    orjson refuses what must be refused: lone surrogates, NaN and invalid UTF-8.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge(f"Send {limit} bytes at most.")
        return read_json(body)


def read_json(body: bytes, *, otherwise: Callable[[str], Exception] = ParseError) -> Any:
    """Read UTF-8 JSON of limited depth that can be stored.

    :raises otherwise: made with the reason why it cannot.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise otherwise(f"Not valid JSON: {error}.") from error
    if body.count(b"[") + body.count(b"{") > DEEPEST and isinstance(parsed, dict | list) and _is_too_deep(parsed):
        raise otherwise(f"Nest {DEEPEST} levels at most.")
    # PostgreSQL stores no NUL, neither in text nor in JSON.
    if b"\\u0000" in body and _holds_nul(parsed):
        raise otherwise("The character NUL (\\u0000) cannot be stored.")
    return parsed


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [item for outer in level for item in _inner(outer) if isinstance(item, dict | list)]
    return bool(level)


def _inner(outer: Any) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))
