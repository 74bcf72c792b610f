"""Request ids: one per request, on every log line, in every error, and carried through Celery."""

import contextvars
import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_NONE = "-"
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default=_NONE)


def current_request_id() -> str:
    """Return the id of the request (or of the request that caused this task), or ``-`` outside of one."""
    return _request_id.get()


class RequestContextMiddleware:
    """Give each request an id and answer with it; tell the rate limit that was counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        # A caller's id ends up in log lines: only harmless ones are taken over.
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        token = _request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _request_id.reset(token)
        response[HEADER] = request_id
        rate = getattr(request, "rate_limit", None)
        if rate is not None:
            for name, value in rate.headers().items():
                response[name] = value
        return response


class ContextFilter(logging.Filter):
    """Put the request id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True


_TASK_HEADER = "eventhub_request_id"


def _stamp_message(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers.setdefault(_TASK_HEADER, current_request_id())


def _adopt_id(task: Any = None, task_id: str | None = None, **_: Any) -> None:
    carried = getattr(task.request, _TASK_HEADER, None)
    _request_id.set(carried if carried and carried != _NONE else str(task_id))


def _drop_id(**_: Any) -> None:
    _request_id.set(_NONE)


def carry_request_ids_through_celery() -> None:
    """Send the request's id with each task, and log under it in the worker."""
    before_task_publish.connect(_stamp_message, dispatch_uid="stamp request id")
    task_prerun.connect(_adopt_id, dispatch_uid="adopt request id")
    task_postrun.connect(_drop_id, dispatch_uid="drop request id")
