"""Ticket types over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.permissions import Anyone, OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.filters import TicketTypeFilter
from events.models import Event, TicketType
from events.serializers import TicketTypeCreateSerializer, TicketTypeSerializer, TicketTypeWriteSerializer
from events.services import ticket_types
from events.services.editing import EDIT_PROBLEMS


@extend_schema_view(
    list=extend_schema(summary="List ticket types"),
    retrieve=extend_schema(summary="Read a ticket type"),
)
class TicketTypeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {
        "list": Anyone,
        "retrieve": Anyone,
        "create": OrganizerOrAdmin,
        "partial_update": OrganizerOrAdmin,
        "destroy": OrganizerOrAdmin,
    }
    problems = {
        "create": EDIT_PROBLEMS[:2],
        "partial_update": EDIT_PROBLEMS,
        "destroy": (*EDIT_PROBLEMS[:2], ticket_types.TicketTypeInUse, ticket_types.LastTicketType),
    }
    queryset = TicketType.objects.none()
    serializer_class = TicketTypeSerializer
    filterset_class = TicketTypeFilter

    def get_queryset(self) -> QuerySet[TicketType]:
        return (
            TicketType.objects.visible_to(self.request.user)
            .select_related("event")
            .order_by("event_id", "position", "pk")
        )

    @extend_schema(
        summary="Add a ticket type", request=TicketTypeCreateSerializer, responses={201: TicketTypeSerializer}
    )
    def create(self, request: Request) -> Response:
        body = TicketTypeCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        event_id = values.pop("event")
        if not Event.objects.visible_to(request.user).filter(pk=event_id).exists():
            raise InvalidInput.unknown("event")
        kind = ticket_types.create_ticket_type(event_id=event_id, values=values, actor=self.caller, now=self.now)
        return Response(self.get_serializer(kind).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Edit a ticket type", request=TicketTypeWriteSerializer, responses=TicketTypeSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        body = TicketTypeWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        kind = ticket_types.update_ticket_type(
            ticket_type_id=self.get_object().pk, changes=body.validated_data, actor=self.caller, now=self.now
        )
        return Response(self.get_serializer(kind).data)

    @extend_schema(summary="Delete a ticket type that nobody booked")
    def destroy(self, request: Request, pk: str) -> Response:
        ticket_types.delete_ticket_type(ticket_type_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)
