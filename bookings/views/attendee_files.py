"""The attendees of an event as a file, over HTTP."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.attendee_files import attendee_file
from bookings.models import Ticket
from eventhub_config.shared.documents.serving import DISPOSITION, CsvRenderer, count_document, file_response
from eventhub_config.shared.permissions import OrganizerOrAdmin
from eventhub_config.shared.spreadsheets import CSV
from eventhub_config.shared.views import ApiViewSet
from events.models import Event
from events.services.editing import NotOwner, require_owner


class AttendeeFileViewSet(ApiViewSet):
    access = {"attendees_csv": OrganizerOrAdmin}
    problems = {"attendees_csv": (NotOwner,)}
    queryset = Ticket.objects.none()
    filter_backends = ()
    pagination_class = None

    @extend_schema(
        summary="The attendees of an event that you run, for a spreadsheet",
        description="Of active bookings; CSV in UTF-8. What a spreadsheet would take for a formula begins with `'`.",
        parameters=[DISPOSITION],
        responses={(200, CSV): OpenApiTypes.STR},
    )
    @action(detail=True, renderer_classes=[CsvRenderer])
    def attendees_csv(self, request: Request, pk: str) -> Response:
        event = get_object_or_404(Event.objects.visible_to(self.caller), pk=pk)
        require_owner(event, self.caller)
        count_document(self.caller.pk)
        return file_response(attendee_file(event))
