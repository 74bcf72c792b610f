"""Pages, and cursors for walking a list while rows come and go."""

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit, client, key

COUNT_EXACTLY_TO = 10_000
COUNT_KEPT_SECONDS = 10


class PageOrCursorPagination(BasePagination):
    """``page`` and ``page_size`` with a count; or ``cursor``: by id, without a count, gapless.

    A cursor walks in the order of ids, whatever else changes meanwhile; start with an empty ``cursor=``.
    """

    parameters = frozenset({"page", "page_size", "cursor"})

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.page_size = _whole_number(request, "page_size", settings.PAGE_SIZE, settings.PAGE_SIZE_MAX)
        self.by_cursor = "cursor" in request.query_params
        return self._walk(queryset) if self.by_cursor else self._page(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        if self.by_cursor:
            return Response({"next": self.next, "previous": None, "results": data})
        return Response(
            {
                "count": self.count,
                "count_is_exact": self.count_is_exact,
                "next": self.next,
                "previous": self.previous,
                "results": data,
            }
        )

    def _page(self, queryset: QuerySet[Any]) -> list[Any]:
        number = _whole_number(self.request, "page", 1, 10**9)
        start = (number - 1) * self.page_size
        # One row more tells whether there is a next page; on the last page the count follows from it.
        rows = list(queryset[start : start + self.page_size + 1])
        more, rows = len(rows) > self.page_size, rows[: self.page_size]
        if not rows and number > 1:
            raise NotFound
        if more:
            self.count, self.count_is_exact = bounded_count(queryset)
        else:
            self.count, self.count_is_exact = start + len(rows), True
        self.next = self._link(page=number + 1) if more else None
        self.previous = self._link(page=number - 1) if number > 1 else None
        return rows

    def _walk(self, queryset: QuerySet[Any]) -> list[Any]:
        if "ordering" in self.request.query_params or "page" in self.request.query_params:
            raise ValidationError({"cursor": ["A cursor has an order of its own; send neither ordering nor page."]})
        after = _decode_cursor(self.request.query_params["cursor"])
        rows = list(queryset.filter(pk__gt=after).order_by("pk")[: self.page_size + 1])
        more, rows = len(rows) > self.page_size, rows[: self.page_size]
        self.next = self._link(cursor=_encode_cursor(rows[-1].pk)) if more else None
        return rows

    def _link(self, **changes: Any) -> str:
        parameters = self.request.query_params.dict() | {name: str(value) for name, value in changes.items()}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(parameters)}")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "Not with `cursor`.", "examples": [42]},
                "count_is_exact": {
                    "type": "boolean",
                    "description": f"False: there are more than {COUNT_EXACTLY_TO}, and the count may be "
                    f"{COUNT_KEPT_SECONDS} seconds old.",
                },
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "Which page."),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": settings.PAGE_SIZE_MAX, "default": settings.PAGE_SIZE},
                "How many items a page.",
            ),
            _parameter(
                "cursor",
                {"type": "string"},
                "Walk the whole list by id, without gaps: start with an empty value, then follow `next`.",
            ),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _whole_number(request: Request, name: str, default: int, largest: int) -> int:
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and 1 <= len(raw) <= 12 and 1 <= int(raw) <= largest):
        raise ValidationError({name: [f"Send a whole number from 1 to {largest}."]})
    return int(raw)


def _encode_cursor(pk: int) -> str:
    return base64.urlsafe_b64encode(b"id:%d" % pk).decode().rstrip("=")


def _decode_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        prefix, _, number = text.partition(":")
        if prefix != "id" or not number.isdigit() or len(number) > 18:
            raise ValueError(text)
        return int(number)
    except (ValueError, binascii.Error) as error:
        raise ValidationError({"cursor": ["Take the cursor from `next`."]}) from error


def _roughly(moment: datetime) -> int:
    return int(moment.timestamp()) // COUNT_KEPT_SECONDS


def bounded_count(queryset: QuerySet[Any]) -> tuple[int, bool]:
    """Return the number of rows and whether it is exact: past 10,000 it may be some seconds old."""
    rows = queryset.order_by()
    count = rows.values("pk")[: COUNT_EXACTLY_TO + 1].count()
    if count <= COUNT_EXACTLY_TO:
        return count, True
    sql, parameters = rows.query.sql_with_params()
    # A filter that asks what holds now has another moment in each request; the count may be as old as it is kept.
    alike = [_roughly(value) if isinstance(value, datetime) else value for value in parameters]
    name = key("count", hashlib.blake2b(repr((sql, alike)).encode(), digest_size=16).hexdigest())
    try:
        kept = circuit.call(lambda: client().get(name))
        if kept is not None:
            return int(kept), False
        count = rows.count()
        circuit.call(lambda: client().set(name, count, ex=COUNT_KEPT_SECONDS))
    except RedisUnavailableError:
        count = rows.count()
    return count, False
