"""``/api/schema/``: the OpenAPI document, served."""

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import PROBLEM_JSON
from eventhub_config.shared.rendering import FastJSONRenderer


class DocumentView(SpectacularAPIView):
    """The document itself: one for everybody, whatever the query string says.

    The library's own view puts ``version`` into a header, whatever it holds, and keeps a catalogue of translations in
    memory for every ``lang`` that anybody invents.
    """

    api_version = ""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._get_schema_response(request)

    def _get_version_parameter(self, request: Request) -> None:
        return None

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = FastJSONRenderer()  # a problem is JSON here too
        self.request.accepted_media_type = PROBLEM_JSON
        return super().handle_exception(exc)
