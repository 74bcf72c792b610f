"""Sessions over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.permissions import Anyone, OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.models import Event, Session
from events.serializers import SessionCreateSerializer, SessionSerializer, SessionWriteSerializer
from events.services import editing, programme
from events.session_filters import ProgrammeFilter, SessionFilter

EDIT_PROBLEMS = (editing.NotOwner, editing.EventIsOver)
CLASHES = (programme.RoomTaken, programme.SpeakerTaken)


@extend_schema_view(list=extend_schema(summary="List sessions"), retrieve=extend_schema(summary="Read a session"))
class SessionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {
        "list": Anyone,
        "retrieve": Anyone,
        "create": OrganizerOrAdmin,
        "partial_update": OrganizerOrAdmin,
        "destroy": OrganizerOrAdmin,
    }
    problems = {
        "create": (*EDIT_PROBLEMS, *CLASHES, programme.TooManySessions),
        "partial_update": (*EDIT_PROBLEMS, *CLASHES),
        "destroy": EDIT_PROBLEMS,
    }
    queryset = Session.objects.none()
    serializer_class = SessionSerializer
    filterset_class = SessionFilter

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.visible_to(self.request.user).order_by("event_id", "starts_at", "position", "pk")

    @extend_schema(
        summary="Add a session to an event", request=SessionCreateSerializer, responses={201: SessionSerializer}
    )
    def create(self, request: Request) -> Response:
        body = SessionCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        event_id = values.pop("event")
        if not Event.objects.visible_to(request.user).filter(pk=event_id).exists():
            raise InvalidInput.unknown("event")
        session = programme.create_session(event_id=event_id, values=values, actor=self.caller, now=self.now)
        return Response(self.get_serializer(session).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Edit a session", request=SessionWriteSerializer, responses=SessionSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        body = SessionWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        session = programme.update_session(
            session_id=self.get_object().pk, changes=body.validated_data, actor=self.caller, now=self.now
        )
        return Response(self.get_serializer(session).data)

    @extend_schema(summary="Take a session out of its event")
    def destroy(self, request: Request, pk: str) -> Response:
        programme.delete_session(session_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(list=extend_schema(summary="Read an event's programme"))
class ProgrammeViewSet(mixins.ListModelMixin, ApiViewSet):
    access = {"list": Anyone}
    queryset = Session.objects.none()
    serializer_class = SessionSerializer
    filterset_class = ProgrammeFilter

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.filter(event_id=self.kwargs["pk"]).in_order()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        get_object_or_404(Event.objects.visible_to(request.user).only("pk"), pk=self.kwargs["pk"])
        return super().list(request)
