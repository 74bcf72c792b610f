"""Events over HTTP."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.answer_cache import kept_answer
from eventhub_config.shared.conditional import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    VersionMismatch,
    expected_version,
    versioned,
)
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.permissions import Anyone, OrganizerOrAdmin
from eventhub_config.shared.rendering import FastJSONRenderer
from eventhub_config.shared.statistics_sections import event_statistics, statistics_serializer
from eventhub_config.shared.views import ApiViewSet
from events import availability
from events.filters import EventFilter
from events.models import Event, TicketType
from events.serializers import (
    AvailabilitySerializer,
    DuplicateSerializer,
    EventCreateSerializer,
    EventSerializer,
    EventWriteSerializer,
    ReasonSerializer,
)
from events.services import copying, editing, lifecycle, programme
from events.services.editing import EDIT_PROBLEMS, PUBLIC_LIST


@extend_schema_view(
    list=extend_schema(
        summary="List events",
        parameters=[IF_NONE_MATCH],
        responses={200: EventSerializer(many=True), 304: NOT_MODIFIED},
    )
)
class EventViewSet(mixins.ListModelMixin, ApiViewSet):
    access = {
        "list": Anyone,
        "retrieve": Anyone,
        "availability": Anyone,
        "create": OrganizerOrAdmin,
        "partial_update": OrganizerOrAdmin,
        "destroy": OrganizerOrAdmin,
        "publish": OrganizerOrAdmin,
        "withdraw": OrganizerOrAdmin,
        "cancel": OrganizerOrAdmin,
        "duplicate": OrganizerOrAdmin,
        "statistics": OrganizerOrAdmin,
    }
    problems = {
        "partial_update": (
            *EDIT_PROBLEMS,
            VersionMismatch,
            lifecycle.CurrencyFrozen,
            lifecycle.EventIncomplete,
            editing.EventHasStarted,
            programme.SessionsOutsideEvent,
            programme.RoomTaken,
            programme.SpeakerTaken,
        ),
        "destroy": (editing.NotOwner, lifecycle.EventWasPublished),
        "publish": (
            editing.NotOwner,
            lifecycle.OrganizerNotApproved,
            lifecycle.EventIncomplete,
            InvalidTransition,
        ),
        "withdraw": (editing.NotOwner, lifecycle.EventHasBookings, InvalidTransition),
        "cancel": (editing.NotOwner, InvalidTransition),
        "duplicate": (
            editing.NotOwner,
            programme.SessionsOutsideEvent,
            programme.RoomTaken,
            programme.SpeakerTaken,
        ),
        "statistics": (editing.NotOwner,),
    }
    queryset = Event.objects.none()
    serializer_class = EventSerializer
    filterset_class = EventFilter

    def get_queryset(self) -> QuerySet[Event]:
        events = Event.objects.visible_to(self.request.user).select_related("organizer").order_by("starts_at", "pk")
        if self.action == "list":  # which reads the types of its page by itself
            return events
        return events.prefetch_related("ticket_types")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        TicketType.objects.read_for(page or [])
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        # Who runs events sees drafts among them; everybody else sees the same.
        if request.user.is_authenticated and self.caller.runs_events:
            return super().list(request)
        return kept_answer(
            request,
            scope=PUBLIC_LIST,
            seconds=settings.LIST_CACHE_SECONDS,
            make=lambda: FastJSONRenderer().render(super(EventViewSet, self).list(request).data),
        )

    @extend_schema(
        summary="Read an event", parameters=[IF_NONE_MATCH], responses={200: EventSerializer, 304: NOT_MODIFIED}
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.answer(self.get_object())

    @extend_schema(summary="Create a draft", request=EventCreateSerializer, responses={201: EventSerializer})
    def create(self, request: Request) -> Response:
        body = EventCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values, kinds = body.split()
        event = lifecycle.create_event(
            organizer=self.caller, values=values, ticket_types=kinds, actor=self.caller, now=self.now
        )
        return self.answer_write(event, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Edit an event", request=EventWriteSerializer, parameters=[IF_MATCH], responses=EventSerializer
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        body = EventWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        event = lifecycle.update_event(
            event_id=self.get_object().pk,
            changes=body.validated_data,
            expected=expected_version(request),
            actor=self.caller,
            now=self.now,
        )
        return self.answer_write(event)

    @extend_schema(summary="Delete a draft that was never published")
    def destroy(self, request: Request, pk: str) -> Response:
        lifecycle.delete_draft(event_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Publish a draft", request=None, responses=EventSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        event = lifecycle.publish_event(event_id=self.get_object().pk, actor=self.caller, now=self.now)
        return self.answer_write(event)

    @extend_schema(summary="Take an event that nobody booked back to draft", request=None, responses=EventSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        event = lifecycle.withdraw_event(event_id=self.get_object().pk, actor=self.caller, now=self.now)
        return self.answer_write(event)

    @extend_schema(summary="Cancel an event and its bookings", request=ReasonSerializer, responses=EventSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event = lifecycle.cancel_event(
            event_id=self.get_object().pk, reason=body.validated_data["reason"], actor=self.caller, now=self.now
        )
        return self.answer_write(event)

    @extend_schema(
        summary="Make a draft like this event",
        parameters=[OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201])],
        request=DuplicateSerializer,
        responses={201: EventSerializer},
    )
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: str) -> Response:
        body = DuplicateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event = copying.duplicate_event(
            event_id=self.get_object().pk, actor=self.caller, now=self.now, **body.validated_data
        )
        answer = self.answer_write(event, status.HTTP_201_CREATED)
        answer["Location"] = reverse("event-detail", args=[event.pk])
        return answer

    @extend_schema(summary="What can be booked right now", responses=AvailabilitySerializer)
    @action(detail=True)
    def availability(self, request: Request, pk: str) -> Response:
        event: Event = self.get_object()
        kinds = event.types_on_view()
        reason = availability.unavailable_reason(event, kinds, self.now)
        return Response(
            {
                "event": event.pk,
                "capacity": event.capacity,
                "seats_taken": event.seats_taken,
                "seats_left": event.seats_left,
                "is_bookable": reason is None,
                "unavailable_reason": reason,
                "ticket_types": [self._type_availability(event, kind) for kind in kinds],
            }
        )

    def _type_availability(self, event: Event, kind: TicketType) -> dict[str, Any]:
        reason = availability.unavailable_reason(event, [kind], self.now)
        left = [count for count in (event.seats_left, kind.seats_left) if count is not None]
        return {
            "ticket_type": kind.pk,
            "seats_left": min(left, default=None),
            "is_bookable": reason is None,
            "unavailable_reason": reason,
        }

    @extend_schema(summary="Figures about an event that you run", responses=statistics_serializer())
    @action(detail=True)
    def statistics(self, request: Request, pk: str) -> Response:
        event = self.get_object()
        editing.require_owner(event, self.caller)
        return Response(event_statistics(event.pk))

    def answer(self, event: Event, http_status: int = status.HTTP_200_OK) -> Response:
        """Answer with the whole event and its ETag."""
        return versioned(self.request, self.get_serializer(event).data, event.version, http_status)

    def answer_write(self, event: Event, http_status: int = status.HTTP_200_OK) -> Response:
        """Answer a write with the event as it is read."""
        return self.answer(self.get_queryset().get(pk=event.pk), http_status)
