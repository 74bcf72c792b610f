"""Where gateways tell what became of payments and refunds."""

from typing import Any

from django.http.request import RawPostDataException, UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import NotVisible, PayloadTooLarge
from eventhub_config.shared.permissions import Anyone
from eventhub_config.shared.views import ApiViewSet
from payments.gateway import CallbackMalformed, CallbackRefused, read_callback
from payments.services import take_callback

LARGEST_CALLBACK = 262_144  # bytes


class ReceivedSerializer(serializers.Serializer[Any]):
    received = serializers.BooleanField()


class Untouched(BaseContentNegotiation):
    """Answers with JSON whatever a gateway says that it accepts, and reads nothing of what it sent."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser:  # type: ignore[override]
        return parsers[0]

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""


class CallbackViewSet(ApiViewSet):
    """Trusts a signature alone: no session, token or limit has a say. The signature covers the body byte for byte."""

    access = {"receive": Anyone}
    problems = {"receive": (CallbackRefused, CallbackMalformed, PayloadTooLarge, NotVisible)}
    authentication_classes = ()
    throttle_classes = ()
    content_negotiation_class = Untouched
    serializer_class = ReceivedSerializer

    @extend_schema(
        summary="Take a callback of a payment gateway",
        description=(
            "For gateways, not for front ends. The body must be signed as its gateway signs; what came before is "
            "taken again and changes nothing."
        ),
        parameters=[OpenApiParameter("gateway", str, OpenApiParameter.PATH, description="`mock` or another gateway.")],
        request={"application/json": OpenApiTypes.OBJECT},
        responses={200: ReceivedSerializer},
    )
    def receive(self, request: Request, gateway: str) -> Response:
        callback = read_callback(gateway, _body_of(request), request.headers)
        take_callback(gateway=gateway, callback=callback, now=self.now)
        return Response({"received": True})


def _body_of(request: Request) -> bytes:
    """Return the body as it was sent."""
    try:
        body: bytes = request._request.read(LARGEST_CALLBACK + 1)
    except (UnreadablePostError, RawPostDataException) as error:  # the line broke, or it was no body
        raise CallbackMalformed from error
    if len(body) > LARGEST_CALLBACK:
        raise PayloadTooLarge(f"Send {LARGEST_CALLBACK} bytes at most.")
    return body
