"""Tickets over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import TicketFilter
from bookings.models import Ticket
from bookings.serializers import DoorProblemSerializer, TicketDetailSerializer
from bookings.services import door
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
from eventhub_config.shared.views import ApiViewSet
from events.services.editing import NotOwner


@extend_schema_view(
    list=extend_schema(summary="List your tickets, and those for events that you run"),
    retrieve=extend_schema(summary="Read a ticket"),
)
class TicketViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {
        "list": SignedIn,
        "retrieve": SignedIn,
        "check_in": OrganizerOrAdmin,
        "undo_check_in": OrganizerOrAdmin,
    }
    problems = {"check_in": (NotOwner, *door.REFUSALS_OF_TICKETS), "undo_check_in": (NotOwner, door.NotCheckedIn)}
    problem_shapes = {"check_in": DoorProblemSerializer}
    queryset = Ticket.objects.none()
    serializer_class = TicketDetailSerializer
    filterset_class = TicketFilter

    def get_queryset(self) -> QuerySet[Ticket]:
        tickets = Ticket.objects.visible_to(self.caller)
        return tickets.select_related("booking__user", "booking__event", "ticket_type", "checked_in_by").order_by("-pk")

    @extend_schema(summary="Let the holder of a ticket in", request=None, responses=TicketDetailSerializer)
    @action(detail=True, methods=["post"])
    def check_in(self, request: Request, pk: str) -> Response:
        ticket = door.check_in_ticket(ticket_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(ticket).data)

    @extend_schema(summary="Take a check-in back", request=None, responses=TicketDetailSerializer)
    @action(detail=True, methods=["post"])
    def undo_check_in(self, request: Request, pk: str) -> Response:
        ticket = door.undo_check_in(ticket_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(ticket).data)
