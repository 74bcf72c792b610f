"""Calendar files over HTTP."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.conditional import IF_NONE_MATCH, NOT_MODIFIED, is_known
from eventhub_config.shared.permissions import Anyone
from eventhub_config.shared.rendering import FastJSONRenderer
from eventhub_config.shared.views import ApiViewSet
from events.models import Event
from events.services.calendars import (
    MOST_EVENTS,
    PUBLISH,
    SHOWN_AFTER_THE_END,
    calendar_of,
    calendar_of_organizer,
)
from users.models import CustomUser

MEDIA_TYPE = "text/calendar"
FILE = OpenApiParameter(
    "Content-Disposition", str, OpenApiParameter.HEADER, description="A name for the file.", response=[200]
)


class CalendarRenderer(BaseRenderer):
    """Passes a file on as it is, and writes problems like everybody else."""

    media_type = MEDIA_TYPE
    format = "ics"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return data if isinstance(data, bytes) else FastJSONRenderer().render(data)


class CalendarViewSet(ApiViewSet):
    access = {"calendar": Anyone}
    renderer_classes = (CalendarRenderer,)
    filter_backends = ()
    pagination_class = None

    def file(self, content: bytes, *, name: str, public: bool, method: str = PUBLISH) -> Response:
        """Answer with a calendar file, or with 304 to who has it."""
        headers = {
            "ETag": f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"',
            # What is withdrawn must not live on in caches: keep it, but ask.
            "Cache-Control": "public, no-cache" if public else "private, no-cache",
        }
        if is_known(self.request, headers["ETag"]):
            return Response(status=304, headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
        return Response(content, headers=headers, content_type=f"{MEDIA_TYPE}; charset=utf-8; method={method}")


class EventCalendarViewSet(CalendarViewSet):
    queryset = Event.objects.none()

    def get_queryset(self) -> QuerySet[Event]:
        return Event.objects.visible_to(self.request.user).select_related("organizer")

    @extend_schema(
        summary="An event as a calendar file",
        description="iCalendar (RFC 5545). Never with the online link, which is told by `eligibility` only.",
        parameters=[IF_NONE_MATCH, FILE],
        responses={(200, MEDIA_TYPE): OpenApiTypes.STR, 304: NOT_MODIFIED},
    )
    @action(detail=True)
    def calendar(self, request: Request, pk: str) -> Response:
        event: Event = self.get_object()
        return self.file(calendar_of(event), name=event.slug, public=event.published_at is not None)


class OrganizerCalendarViewSet(CalendarViewSet):
    queryset = CustomUser.objects.none()

    def get_queryset(self) -> QuerySet[CustomUser]:
        return CustomUser.objects.public_organizers()

    @extend_schema(
        summary="An organizer's public events, to subscribe to",
        description=f"iCalendar (RFC 5545): what is to come, and what ended in the last {SHOWN_AFTER_THE_END.days} "
        f"days; at most {MOST_EVENTS} events.",
        parameters=[IF_NONE_MATCH, FILE],
        responses={(200, MEDIA_TYPE): OpenApiTypes.STR, 304: NOT_MODIFIED},
    )
    @action(detail=True)
    def calendar(self, request: Request, pk: str) -> Response:
        organizer: CustomUser = self.get_object()
        content = calendar_of_organizer(organizer, now=self.now)
        return self.file(content, name=f"organizer-{organizer.pk}", public=True)
