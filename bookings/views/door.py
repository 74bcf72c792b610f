"""The door of an event over HTTP, under the event's own address."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.models import Ticket
from bookings.serializers import (
    CheckInSerializer,
    DoorProblemSerializer,
    ScanOutcomesSerializer,
    ScansSerializer,
    TicketDetailSerializer,
    outcomes_body,
)
from bookings.services import door
from eventhub_config.shared.permissions import OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.services.editing import NotOwner


class DoorViewSet(ApiViewSet):
    access = {"check_in": OrganizerOrAdmin, "scans": OrganizerOrAdmin}
    problems = {
        "check_in": (NotOwner, *door.REFUSALS, door.ImpossibleTime),
        "scans": (NotOwner,),
    }
    problem_shapes = {"check_in": DoorProblemSerializer}
    lists = frozenset()
    queryset = Ticket.objects.none()
    filterset_class = None
    pagination_class = None

    @extend_schema(
        summary="Let somebody in by what was scanned", request=CheckInSerializer, responses=TicketDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def check_in(self, request: Request, pk: str) -> Response:
        body = CheckInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ticket = door.check_in(event_id=int(pk), scan=body.as_request(), actor=self.caller, now=self.now)
        return Response(TicketDetailSerializer(ticket, context=self.get_serializer_context()).data)

    @extend_schema(
        summary="Send what a device scanned offline", request=ScansSerializer, responses=ScanOutcomesSerializer
    )
    @action(detail=True, methods=["post"])
    def scans(self, request: Request, pk: str) -> Response:
        body = ScansSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        outcomes = door.record_scans(event_id=int(pk), scans=body.as_requests(), actor=self.caller, now=self.now)
        return Response(outcomes_body(outcomes))
