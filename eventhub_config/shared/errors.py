"""The one error shape: RFC 9457 problem details, for everything that is refused or fails.

Services raise a :class:`DomainError` of their own with a stable ``code``; everything else that can go wrong in a
request is translated here, so that a client branches on ``code`` and never on a text.
"""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.debug import SafeExceptionReporterFilter
from rest_framework import exceptions, status
from rest_framework.response import Response

from eventhub_config.shared.requests import current_request_id

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"


class DomainError(Exception):
    """A refusal with a stable code.

    Subclasses set the class attributes; ``detail`` may be made more precise when raising. ``members`` stand beside the
    others in the problem (RFC 9457, section 3.2); the view's ``problem_shapes`` describe them.
    """

    code: str = "conflict"
    status: int = status.HTTP_409_CONFLICT
    title: str = "The current state refuses this."

    def __init__(
        self, detail: str = "", *, errors: list[dict[str, Any]] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.detail = detail or self.title
        self.errors = errors or []
        self.headers = headers or {}
        self.members: dict[str, Any] = {}
        super().__init__(self.detail)


class InvalidTransition(DomainError):
    code = "invalid_transition"
    title = "This cannot be done in the present state."


class InvalidInput(DomainError):
    """Malformed or unknown input that only a service could recognise: a 400 that names its fields."""

    code = "invalid"
    status = status.HTTP_400_BAD_REQUEST
    title = "Some values cannot be accepted."

    def __init__(self, detail: str = "", *, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail or _summary(errors or []), errors=errors)

    @classmethod
    def unknown(cls, field: str) -> "InvalidInput":
        """Return the refusal of a reference to what is not there, or to what the caller may not know about."""
        return cls.field(field, "does_not_exist", "There is no such object.")

    @classmethod
    def field(cls, field: str, code: str, message: str) -> "InvalidInput":
        return cls(errors=[{"field": field, "code": code, "message": message}])


class Forbidden(DomainError):
    code = "permission_denied"
    status = status.HTTP_403_FORBIDDEN
    title = "You may not do this."


class NotVisible(DomainError):
    """What does not exist, or must look as if it did not."""

    code = "not_found"
    status = status.HTTP_404_NOT_FOUND
    title = "Not found."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    status = status.HTTP_405_METHOD_NOT_ALLOWED
    title = "This address does not take that method."


class PayloadTooLarge(DomainError):
    code = "payload_too_large"
    status = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    title = "The request body is too large."


class Busy(DomainError):
    code = "busy"
    status = status.HTTP_503_SERVICE_UNAVAILABLE
    title = "Too busy just now. Nothing was changed; try again."

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class DatabaseUnavailable(Busy):
    code = "database_unavailable"
    title = "The database cannot be reached. Try again, with the same Idempotency-Key if you sent one."


# Code and title by status, for what Django and DRF raise themselves.
_HTTP_PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("not_authenticated", "Sign in first."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "Not found."),
    405: ("method_not_allowed", "This address does not take that method."),
    406: ("not_acceptable", "What you accept is not available here."),
    415: ("unsupported_media_type", "This address does not take that content type."),
    429: ("rate_limited", "Too many requests."),
    500: ("internal_error", "Something broke on our side. It has been logged under this request id."),
}
FRAMEWORK_CODES = dict(_HTTP_PROBLEMS.values()) | {
    "malformed_body": "The request body cannot be read.",
    "invalid": "Some values cannot be accepted.",
    "token_not_valid": "The token is invalid, expired or revoked.",
}


def error_codes() -> dict[str, str]:
    """Return every code that an answer can carry, with its meaning."""
    own = {error.code: error.title for error in _all_domain_errors() if "code" in vars(error)}
    return dict(sorted((FRAMEWORK_CODES | own).items()))


def _all_domain_errors(of: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for error in of.__subclasses__():
        yield error
        yield from _all_domain_errors(error)


def problem(
    http_status: int, code: str, title: str, detail: str = "", errors: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return a problem document for the present request."""
    return {
        "type": f"/api/meta/#{code}",
        "title": title,
        "status": http_status,
        "code": code,
        "detail": detail or title,
        "request_id": current_request_id(),
        "errors": errors or [],
    }


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of an API view (DRF's ``EXCEPTION_HANDLER``)."""
    headers: dict[str, str] = {}
    if isinstance(error, DomainError):
        body = problem(error.status, error.code, error.title, error.detail, error.errors) | error.members
        headers = error.headers
    elif database_was_lost(error):
        logger.error("The database refused or was lost: %s", error)
        return problem_response(DatabaseUnavailable(retry_after=2), context)
    elif isinstance(error, exceptions.APIException):
        body = _from_api_exception(error, context)
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if getattr(error, "wait", None) is not None:
            headers["Retry-After"] = str(max(1, int(error.wait)))  # type: ignore[attr-defined]
    elif isinstance(error, Http404):
        body = problem(404, *_HTTP_PROBLEMS[404])
    elif isinstance(error, PermissionDenied):
        body = problem(403, *_HTTP_PROBLEMS[403])
    elif isinstance(error, RequestDataTooBig | TooManyFieldsSent):
        return problem_response(PayloadTooLarge(), context)
    elif isinstance(error, SuspiciousOperation):
        body = problem(400, *_HTTP_PROBLEMS[400])
    else:
        request = context.get("request")
        logger.error("Unexpected error in %s", getattr(request, "path", "?"), exc_info=error)
        got_request_exception.send(sender=problem_response, request=getattr(request, "_request", None))
        body = problem(500, *_HTTP_PROBLEMS[500])
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_JSON)


def database_was_lost(error: Exception) -> bool:
    """Return whether the database could not be reached, or went away in the middle of it."""
    # psycopg2 raises the plain class for some connections that break in the middle of a statement.
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def _from_api_exception(error: exceptions.APIException, context: dict[str, Any]) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.detail))
        return problem(400, "invalid", InvalidInput.title, _summary(errors), errors)
    code, title = _HTTP_PROBLEMS.get(error.status_code, ("error", "The request failed."))
    if isinstance(error, exceptions.ParseError):
        code, title = "malformed_body", FRAMEWORK_CODES["malformed_body"]
    elif isinstance(error, exceptions.AuthenticationFailed):
        code, title = "token_not_valid", FRAMEWORK_CODES["token_not_valid"]
    elif isinstance(error, exceptions.PermissionDenied):
        named = error.get_codes()
        code = named if isinstance(named, str) else code
    detail = str(error.detail) if isinstance(error.detail, str) and error.status_code not in {401, 404} else title
    if isinstance(error, exceptions.UnsupportedMediaType):
        detail = f"Send {' or '.join(parser.media_type for parser in context['request'].parsers)}."
    elif isinstance(error, exceptions.NotAcceptable) and error.available_renderers:
        detail = f"This address answers with {' or '.join(each.media_type for each in error.available_renderers)}."
    return problem(error.status_code, code, title, detail)


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else str(key)
            yield from _flatten(value, f"{path}.{step}".strip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _flatten(value, f"{path}.{index}".strip(".") if isinstance(value, dict | list) else path)
    else:
        # Django's forms raise errors without a code.
        yield {"field": path, "code": getattr(detail, "code", None) or "invalid", "message": str(detail)}


def _summary(errors: list[dict[str, Any]]) -> str:
    first = errors[0] if errors else {"field": "", "message": InvalidInput.title}
    return f"{first['field']}: {first['message']}" if first["field"] else str(first["message"])


# --- Outside of API views: unknown paths, bad hosts, broken middleware ---


def plain_problem(refusal: DomainError) -> HttpResponse:
    """Answer a refusal outside of API views."""
    body = problem(refusal.status, refusal.code, refusal.title, refusal.detail, refusal.errors)
    return HttpResponse(orjson.dumps(body), status=refusal.status, content_type=PROBLEM_JSON, headers=refusal.headers)


def _plain(http_status: int, detail: str = "") -> HttpResponse:
    body = problem(http_status, *_HTTP_PROBLEMS[http_status], detail=detail)
    return HttpResponse(orjson.dumps(body), status=http_status, content_type=PROBLEM_JSON)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return _plain(400, "This host name is not served here.")
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return plain_problem(PayloadTooLarge())
    return _plain(400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _plain(403)


def page_not_found(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
    unslashed = request.path.startswith("/api/") and not request.path.endswith("/")
    return _plain(404, "Not found. Paths of this API end with a slash." if unslashed else "")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _plain(403, "The form's token is missing or old. Load the page again.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _plain(500)


def refuse_unknown_hosts(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a middleware that answers for foreign hosts before anybody else asks for the host.

    Django would log a traceback for each of them, and with DEBUG show its settings to them.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost as error:
            return bad_request(request, error)
        return get_response(request)

    return middleware


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a middleware that refuses the character NUL in query strings.

    PostgreSQL compares with no such text, and pages of the admin ask it all the same. The API names the parameter.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") and not request.path.startswith("/api/"):
            return bad_request(request)
        return get_response(request)

    return middleware


class ReportFilter(SafeExceptionReporterFilter):
    """Keeps addresses out of error reports and DEBUG's pages: those of the database and of Redis hold passwords."""

    hidden_settings = re.compile(SafeExceptionReporterFilter.hidden_settings.pattern + "|_URL", re.IGNORECASE)
