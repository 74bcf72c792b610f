"""Our own OpenAPI document, and what an answer has to be to keep its promises.

The root ``conftest.py`` holds every answer that a test's client gets from ``/api/`` against it. Components are closed
here: a key that the document does not name is a broken promise too.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import unquote

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

HERE = "urn:eventhub:openapi"
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM_JSON = "application/problem+json"
PROBLEM = "/components/schemas/Problem"
# These describe the API and are not part of it.
PAGES = re.compile(r"/api/((schema|docs|redoc)/)?")
# What can be wrong with a request before any operation is found, or with a method that its path does not take.
OUTSIDE_OF_OPERATIONS = {400, 401, 404, 405, 406, 429, 503}
EMPTY = {204, 304}
BUSY = {429, 503}

_formats = FormatChecker(formats=())


@_formats.checks("date-time")
def _is_moment(value: object) -> bool:
    """Return whether this is a moment as we write them: in UTC, with ``Z``."""
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", value, re.ASCII)
    )


@_formats.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"https?://\S+", value))


_drawing = threading.Lock()


class BrokenPromise(AssertionError):
    """An answer is not what the document says."""


@dataclass(frozen=True)
class Operation:
    """One method on one path of the document."""

    id: str
    method: str
    path: str

    @property
    def pointer(self) -> str:
        return f"/paths/{self.path.replace('~', '~0').replace('/', '~1')}/{self.method}"

    @cached_property
    def described(self) -> dict[str, Any]:
        described: dict[str, Any] = document()["paths"][self.path][self.method]
        return described

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The query parameters by name."""
        return {item["name"]: item for item in self.described.get("parameters", ()) if item["in"] == "query"}

    @property
    def is_list(self) -> bool:
        return "page_size" in self.parameters

    @property
    def resource(self) -> str:
        """The path's first word, such as ``events``."""
        return self.path.split("/")[2]

    def url(self, pk: object = 1) -> str:
        return self.path.replace("{id}", str(pk)).replace("{gateway}", "mock")


def document() -> dict[str, Any]:
    """Return the document of the project, whatever URLconf a test has set."""
    with _drawing:  # the library that draws it cannot do so for two requests at once
        return _drawn()


@cache
def _drawn() -> dict[str, Any]:
    made = SchemaGenerator(urlconf="eventhub_config.urls").get_schema(request=None, public=True)
    plain: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return plain


@cache
def operations() -> Mapping[str, Operation]:
    """Return every operation by its id."""
    return {
        described["operationId"]: Operation(described["operationId"], method, path)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    }


def find_operation(method: str, path: str) -> Operation | None:
    """Return the operation that a request is for; an address with fewer variables wins, as ``users/me/`` does."""
    method = "get" if method.upper() == "HEAD" else method.lower()
    fitting = [it for it in operations().values() if it.method == method and _pattern(it.path).fullmatch(path)]
    return min(fitting, key=lambda operation: operation.path.count("{"), default=None)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", path)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


# --- Checking an answer -----------------------------------------------------------------------------------------------


def check(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Hold one answer against the document. ``path`` is without its query.

    :raises BrokenPromise: names operation, status and where in the answer.
    """
    path = unquote(path)
    if not path.startswith("/api/") or PAGES.fullmatch(path):
        return
    operation = find_operation(method, path)
    broken = list(_broken_promises(operation, method, status, headers, content))
    if broken:
        name = operation.id if operation else f"{method} {path} (no operation)"
        raise BrokenPromise(f"{name} answered {status}:\n  " + "\n  ".join(broken))


def _broken_promises(
    operation: Operation | None, method: str, status: int, headers: Mapping[str, str], content: bytes
) -> Iterator[str]:
    if not headers.get("X-Request-ID"):
        yield "header X-Request-ID: is missing"
    if status in BUSY and not re.fullmatch("[1-9][0-9]*", headers.get("Retry-After", "")):
        yield f"header Retry-After: is {headers.get('Retry-After')!r}, not a number of seconds"
    if operation is None:
        schema = PROBLEM if status in OUTSIDE_OF_OPERATIONS else None
        contents = {PROBLEM_JSON: schema} if schema else None
    else:
        contents = _contents(operation, status)
    if contents is None:
        yield "this status is not documented"
        return
    if method.upper() == "HEAD" or not contents:
        if content:
            yield f"there should be no body, not {content[:80]!r}"
        return
    media_type = headers.get("Content-Type", "").partition(";")[0].strip()
    if media_type not in contents:
        yield f"header Content-Type: is {media_type!r}, documented: {', '.join(contents)}"
        return
    if media_type.endswith("json"):
        yield from _broken_body(operation, status, headers, content, contents[media_type])


def _contents(operation: Operation, status: int) -> dict[str, str] | None:
    """Return where the schema of each content type stands; empty: no body; None: no such status."""
    response = operation.described["responses"].get(str(status))
    if response is None:
        return None
    at = f"{operation.pointer}/responses/{status}/content"
    return {
        media_type: f"{at}/{media_type.replace('/', '~1')}/schema"
        for media_type, described in response.get("content", {}).items()
        if "schema" in described
    }


def _broken_body(
    operation: Operation | None, status: int, headers: Mapping[str, str], content: bytes, schema: str
) -> Iterator[str]:
    try:
        body = json.loads(content.decode(), parse_constant=_no_constant)
    except ValueError as error:
        yield f"the body is not JSON ({error}): {content[:80]!r}"
        return
    for error in _validator(schema).iter_errors(body):
        yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    if status >= 400 and isinstance(body, dict):
        if body.get("status") != status:
            yield f"/status: is {body.get('status')!r}"
        if body.get("request_id") != headers.get("X-Request-ID"):
            yield f"/request_id: is {body.get('request_id')!r}, the header says {headers.get('X-Request-ID')!r}"
        if operation is not None and body.get("code") not in operation.described["x-error-codes"]:
            yield f"/code: {body.get('code')!r} is not documented for this operation"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(_closed(document()), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(HERE, resource)
    return registry


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{HERE}#{pointer}"}, registry=_registry(), format_checker=_formats)


def _closed(node: Any) -> Any:
    """Return the document with no object open to keys that it does not name."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
