"""Bare WSGI: what gunicorn and the load generator can do at the most."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b'{"ok":true}'


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]
