"""Conditional requests (RFC 9110, section 13): a resource with a ``version`` answers with an ETag that begins with it.

``If-None-Match`` spares reading what did not change; ``If-Match`` refuses a change that rests on an older reading.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
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


def etag(version: int, data: Any) -> str:
    """Return a tag that changes with anything in the body and begins with the version."""
    digest = hashlib.blake2b(orjson.dumps(data, default=str), digest_size=8).hexdigest()
    return f'"{version}-{digest}"'


@dataclass(frozen=True)
class ExpectedVersion:
    """The versions that a caller means to change; None: whichever there is."""

    tags: frozenset[str] | None = None

    def check(self, version: int) -> None:
        """Compare with the row's version. Call after locking the row.

        :raises VersionMismatch: the caller read another one.
        """
        # What else is in the body (seats taken, say) may have changed meanwhile: an edit rests on the version alone.
        if self.tags is not None and not self.tags & {"*", str(version)}:
            raise VersionMismatch


ANY_VERSION = ExpectedVersion()


def expected_version(request: Request) -> ExpectedVersion:
    """Return what a request's ``If-Match`` asks for: an ETag as it was read, or just the version in quotes."""
    header = request.headers.get("If-Match")
    if header is None:
        return ANY_VERSION
    return ExpectedVersion(frozenset(tag.strip('"').partition("-")[0] for tag in _tags(header)))


def is_known(request: Request, tag: str) -> bool:
    """Return whether the reader has what this tag names already."""
    return request.method in {"GET", "HEAD"} and bool(_tags(request.headers.get("If-None-Match", "")) & {"*", tag})


def versioned(request: Request, data: Any, version: int, status: int = 200) -> Response:
    """Answer with a body and its ETag, or with 304 if a reader has it already."""
    tag = etag(version, data)
    if is_known(request, tag):
        return Response(status=304, headers={"ETag": tag})
    return Response(data, status=status, headers={"ETag": tag})


def _tags(header: str) -> frozenset[str]:
    # Proxies that compress mark a tag as weak; ours name the content, whatever its encoding.
    return frozenset(tag.removeprefix("W/") for tag in parse_etags(header))
