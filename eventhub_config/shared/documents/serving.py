"""Files that an API view answers with, for one person: named, harmless to browsers, kept by nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from eventhub_config.shared.rendering import FastJSONRenderer
from eventhub_config.shared.spreadsheets import CSV
from eventhub_config.shared.throttling import Limit, enforce

PDF = "application/pdf"
PDF_RESPONSES = {(200, PDF): OpenApiTypes.BINARY}
DISPOSITION = OpenApiParameter(
    "Content-Disposition", str, OpenApiParameter.HEADER, description="A name for the file.", response=[200]
)
PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    # A browser shows it at most, and lets nothing in it run or call home.
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@dataclass(frozen=True)
class PrivateFile:
    """A file for one person. ``name`` is made of letters that every system takes."""

    name: str
    media_type: str
    content: bytes

    def headers(self) -> dict[str, str]:
        return {
            **PRIVATE,
            "Content-Disposition": f'attachment; filename="{re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)}"',
        }


class FileRenderer(BaseRenderer):
    """Passes a file on as it is, and writes problems like everybody else."""

    media_type = "*/*"
    format = "file"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return data if isinstance(data, bytes) else FastJSONRenderer().render(data)


class PdfRenderer(FileRenderer):
    media_type = PDF
    format = "pdf"


class CsvRenderer(FileRenderer):
    media_type = CSV
    format = "csv"


def count_document(user_id: int) -> None:
    """Count a document that is about to be drawn for somebody: it takes a hundred times as long as an answer in JSON.

    :raises Throttled: that are enough for this minute.
    """
    enforce(Limit("documents", settings.DOCUMENT_RATE, timedelta(minutes=1)), str(user_id))


def file_response(file: PrivateFile) -> Response:
    return Response(file.content, headers=file.headers(), content_type=file.media_type)
