"""The OpenAPI document:

every operation declares its refusals, operation ids are stable, private details are spelled out.
"""

import json
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_serializer
from rest_framework import serializers

from eventhub_config.shared.errors import FRAMEWORK_CODES, PROBLEM_JSON, DomainError
from eventhub_config.shared.idempotency import HEADER, IdempotencyKeyReused, RequestInProgress
from eventhub_config.shared.permissions import Anyone, SignedIn
from eventhub_config.shared.views import ApiViewSet

_EXAMPLE = OpenApiExample(
    "A refusal",
    value={
        "type": "/api/meta/#sold_out",
        "title": "There are not enough seats left.",
        "status": 409,
        "code": "sold_out",
        "detail": "There are not enough seats left.",
        "request_id": "7b0f6c1ea2f54b3c9d0e8f7a6b5c4d3e",
        "errors": [],
    },
)


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True, help_text="Dotted path into the body; empty for the whole body.")
    code = serializers.CharField()
    message = serializers.CharField()


@extend_schema_serializer(examples=[_EXAMPLE])
class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details. Branch on `code`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]


_EVERYDAY = {"list", "retrieve", "create", "update", "partial_update", "destroy"}
_ALWAYS = {400: ["bad_request", "invalid"], 401: ["not_authenticated", "token_not_valid"], 406: ["not_acceptable"]}
_ALWAYS |= {429: ["rate_limited"], 503: ["busy", "database_unavailable"]}


class ContractSchema(AutoSchema):
    """Adds to each operation the problems it can answer with, and the headers it takes."""

    def get_operation_id(self) -> str:
        """Return the words of the path, with a verb for what every resource has: ``events_list``, ``events_cancel``."""
        if self._action() in _EVERYDAY:
            return super().get_operation_id()
        return "_".join(self._tokenize_path()).replace("-", "_")

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)
        for parameter in parameters:
            if parameter["name"] == "id":
                parameter["schema"] = {"type": "integer", "format": "int64", "minimum": 1}
        return parameters

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if self._takes_key():
            parameters.append(
                OpenApiParameter(
                    HEADER,
                    str,
                    OpenApiParameter.HEADER,
                    description=(
                        "1 to 255 printable ASCII characters. The same key and body do nothing twice and answer with "
                        "the same resource and `Idempotency-Replayed: true`."
                    ),
                )
            )
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, codes in sorted(self._problem_codes().items()):
            shape = self._problem_shape() if status == 409 else ProblemSerializer
            response = self._get_response_for_code(shape, str(status), [PROBLEM_JSON], direction)
            response["description"] = ", ".join(f"`{code}`" for code in codes)
            bodies.setdefault(str(status), response)
        return bodies

    def get_auth(self) -> list[dict[str, Any]]:
        # What anyone may call works without a token as well.
        return [*super().get_auth(), {}] if self._access() is Anyone else super().get_auth()

    def _problem_codes(self) -> dict[int, list[str]]:
        codes = {status: list(names) for status, names in _ALWAYS.items()}
        if self._access() not in {Anyone, SignedIn}:
            codes[403] = ["permission_denied"]
        if "{" in self.path or self.method == "GET":
            codes[404] = ["not_found"]
        if self.method in {"POST", "PUT", "PATCH"}:
            codes[400].append("malformed_body")
            codes |= {413: ["payload_too_large"], 415: ["unsupported_media_type"]}
        for error in self._problems():
            names = codes.setdefault(error.status, [])
            if error.code not in names:
                names.append(error.code)
        return codes

    def _problems(self) -> tuple[type[DomainError], ...]:
        declared: tuple[type[DomainError], ...] = getattr(self.view, "problems", {}).get(self._action(), ())
        return (*declared, RequestInProgress, IdempotencyKeyReused) if self._takes_key() else declared

    def _problem_shape(self) -> Any:
        return getattr(self.view, "problem_shapes", {}).get(self._action(), ProblemSerializer)

    def _takes_key(self) -> bool:
        return self._action() in getattr(self.view, "idempotent", ())

    def _access(self) -> Any:
        return getattr(self.view, "access", {}).get(self._action(), Anyone)

    def _action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    def get_extensions(self) -> dict[str, Any]:
        names = sorted({code for codes in self._problem_codes().values() for code in codes} | {"internal_error"})
        return {"x-error-codes": names}


class SessionTokenScheme(OpenApiAuthenticationExtension):
    target_class = "users.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access` token of `POST /api/auth/token/`.",
        }


def undocumented_classes() -> list[type]:
    """Return the classes whose docstrings are for us, not for those who read the document."""
    return [*get_lib_doc_excludes(), ApiViewSet]


# The generator's own names for "may be null" and "may be empty": no type that a client would want to have.
_NOTHING = {
    "#/components/schemas/NullEnum": {"type": "null"},
    "#/components/schemas/BlankEnum": {"type": "string", "maxLength": 0},
}
_HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "Names this request in our logs; taken over from the request if it sent a harmless one.",
        "schema": {"type": "string"},
        "required": True,
    },
    "RetryAfter": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "Location": {
        "description": "Where the new resource is read.",
        "schema": {"type": "string", "format": "uri-reference"},
        "required": True,
    },
    "ETag": {
        "description": "For `If-None-Match` and `If-Match`. Those who run events have none on the list of events.",
        "schema": {"type": "string"},
    },
    "IdempotencyReplayed": {
        "description": "`true`: this `Idempotency-Key` was used before; nothing happened again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
# What an operation answers with that takes a certain header.
_ANSWERED = {
    "If-Match": ("ETag", "ETag"),
    "If-None-Match": ("ETag", "ETag"),
    HEADER: ("Idempotency-Replayed", "IdempotencyReplayed"),
}


def finish_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say what every operation shares: codes, and the headers of every answer."""
    result = _spelled_out(result)
    for name in ("NullEnum", "BlankEnum"):
        result["components"]["schemas"].pop(name, None)
    result["info"]["x-framework-codes"] = FRAMEWORK_CODES
    result["components"]["headers"] = _HEADERS
    _say_what_clients_need(result["components"]["schemas"])
    for methods in result["paths"].values():
        for operation in methods.values():
            taken = {item["name"] for item in operation.get("parameters", [])}
            answered = [_ANSWERED[name] for name in _ANSWERED if name in taken]
            for status, response in operation["responses"].items():
                headers = response.setdefault("headers", {})
                headers["X-Request-ID"] = {"$ref": "#/components/headers/RequestId"}
                for header, component in answered if status[0] in "23" else ():
                    headers[header] = {"$ref": f"#/components/headers/{component}"}
                made = operation["operationId"].endswith("_create") and status in {"201", "202"}
                if (made and _has_id(response, result["components"]["schemas"])) or "Location" in headers:
                    headers["Location"] = {"$ref": "#/components/headers/Location"}
                if status in {"429", "503"}:
                    headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return result


def _has_id(response: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Return whether an answer is a resource with an address of its own."""
    answers = [described["schema"] for described in response.get("content", {}).values()]
    named = [schemas.get(answer.get("$ref", "").rpartition("/")[2], {}) for answer in answers]
    return any("id" in schema.get("properties", {}) for schema in named)


def _say_what_clients_need(schemas: dict[str, Any]) -> None:
    """Tell generators of clients what may be left out of a body, and that no answer leaves anything out."""
    for name, schema in schemas.items():
        for given in schema.get("properties", {}).values() if name.endswith("Request") else ():
            # Beside a `default`, they take a field for one that must be sent.
            default = given.pop("default", None)
            if default not in (None, ""):
                given["description"] = (
                    f"{given.get('description', '')}\n\nLeft out, it is `{json.dumps(default)}`.".strip()
                )
        if "properties" in schema and not name.endswith("Request") and not name.startswith("Paginated"):
            schema["required"] = sorted(schema["properties"])


def _spelled_out(node: Any) -> Any:
    if isinstance(node, list):
        return [_spelled_out(item) for item in node]
    if isinstance(node, dict):
        return _NOTHING.get(node.get("$ref", "")) or {key: _spelled_out(value) for key, value in node.items()}
    return node
