"""The cover image of an event over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.conditional import IF_MATCH, VersionMismatch, expected_version, versioned
from eventhub_config.shared.images.refusals import UPLOAD_PROBLEMS
from eventhub_config.shared.images.uploads import ImageUploadParser, ImageUploadSerializer, uploaded_image
from eventhub_config.shared.permissions import OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.models import Event
from events.serializers import EventSerializer
from events.services import covers
from events.services.editing import EventIsOver, NotOwner, require_editable


class CoverViewSet(ApiViewSet):
    access = {"create": OrganizerOrAdmin, "destroy": OrganizerOrAdmin}
    problems = {
        "create": (*UPLOAD_PROBLEMS, NotOwner, EventIsOver, VersionMismatch),
        "destroy": (NotOwner, EventIsOver, VersionMismatch),
    }
    queryset = Event.objects.none()
    serializer_class = EventSerializer
    parser_classes = (ImageUploadParser,)
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Event]:
        events = Event.objects.visible_to(self.request.user)
        return events.select_related("organizer").prefetch_related("ticket_types")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}

    @extend_schema(
        summary="Set an event's cover image",
        description="It replaces the one before, at once. The addresses in the answer work from now on.",
        parameters=[IF_MATCH],
        request=ImageUploadSerializer,
        responses={200: EventSerializer},
    )
    def create(self, request: Request, pk: str) -> Response:
        event: Event = self.get_object()
        require_editable(event, self.caller)  # before the body is read
        covers.set_cover(
            event_id=event.pk,
            content=uploaded_image(request),
            uploaded_by=self.caller.pk,
            expected=expected_version(request),
            actor=self.caller,
            now=self.now,
        )
        return self._answer()

    @extend_schema(
        summary="Remove an event's cover image", parameters=[IF_MATCH], request=None, responses={200: EventSerializer}
    )
    def destroy(self, request: Request, pk: str) -> Response:
        covers.remove_cover(
            event_id=self.get_object().pk, expected=expected_version(request), actor=self.caller, now=self.now
        )
        return self._answer()

    def _answer(self) -> Response:
        event = self.get_object()
        return versioned(self.request, self.get_serializer(event).data, event.version)
