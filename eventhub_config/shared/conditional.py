"""Conditional requests (RFC 9110, section 13): a resource with a ``version`` answers with it as its ETag.

``If-None-Match`` spares reading what did not change; ``If-Match`` refuses a change that rests on an older reading.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import DomainError

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The `ETag` that you read: refused with 412 if it is older."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` that you have: 304 if it still holds."
)
NOT_MODIFIED = OpenApiResponse(description="What you have is what there is.")


class VersionMismatch(DomainError):
    code = "version_mismatch"
    status = 412
    title = "This was changed since you read it. Read it again."


def etag(version: int) -> str:
    return f'"{version}"'


@dataclass(frozen=True)
class ExpectedVersion:
    """The versions that a caller means to change; None: whichever there is."""

    tags: frozenset[str] | None = None

    def check(self, version: int) -> None:
        """Compare with the row's version. Call after locking the row.

        :raises VersionMismatch: the caller read another one.
        """
        if self.tags is not None and not self.tags & {"*", etag(version)}:
            raise VersionMismatch


def expected_version(request: Request) -> ExpectedVersion:
    """Return what a request's ``If-Match`` asks for."""
    header = request.headers.get("If-Match")
    return ExpectedVersion(None if header is None else _tags(header))


def is_unchanged(request: Request, version: int) -> bool:
    """Return whether the caller has this version already."""
    header = request.headers.get("If-None-Match")
    return header is not None and bool(_tags(header) & {"*", etag(version)})


def not_modified(version: int) -> Response:
    return Response(status=304, headers={"ETag": etag(version)})


def versioned(data: Any, version: int, status: int = 200) -> Response:
    return Response(data, status=status, headers={"ETag": etag(version)})


def _tags(header: str) -> frozenset[str]:
    # Proxies that compress mark a tag as weak; ours name a version of the row, whatever its encoding.
    return frozenset(tag.removeprefix("W/") for tag in parse_etags(header))
