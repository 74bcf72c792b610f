"""The door of an event over HTTP, under the event's own address."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import DoorFilter
from bookings.models import Booking, Ticket
from bookings.serializers import (
    CheckInSerializer,
    DoorListSerializer,
    DoorProblemSerializer,
    DoorsClosedSerializer,
    ScanOutcomesSerializer,
    ScansSerializer,
    TicketDetailSerializer,
    outcomes_body,
)
from bookings.services import door, no_shows
from bookings.services.door_list import moment_of, read_door_list
from eventhub_config.shared.conditional import IF_NONE_MATCH, NOT_MODIFIED, versioned
from eventhub_config.shared.permissions import OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.availability import EventIsCancelled, NotPublished
from events.services.editing import NotOwner


class DoorViewSet(ApiViewSet):
    access = {
        "check_in": OrganizerOrAdmin,
        "scans": OrganizerOrAdmin,
        "door": OrganizerOrAdmin,
        "close_doors": OrganizerOrAdmin,
    }
    problems = {
        "check_in": (NotOwner, *door.REFUSALS, door.ImpossibleTime),
        "scans": (NotOwner,),
        "door": (NotOwner,),
        "close_doors": (
            NotOwner, NotPublished, EventIsCancelled, no_shows.EventNotOver, no_shows.AttendanceByConfirmation,
        ),
    }  # fmt: skip
    problem_shapes = {"check_in": DoorProblemSerializer}
    lists = frozenset({"door"})
    queryset = Ticket.objects.none()
    filterset_class = DoorFilter
    pagination_class = None

    @extend_schema(
        summary="Let somebody in by what was scanned",
        description=(
            "By those who run the event. A ticket that was used is 409 `already_checked_in`: `detail` says when and by "
            "whom, and `tickets` says it to a program."
        ),
        request=CheckInSerializer,
        responses=TicketDetailSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def check_in(self, request: Request, pk: str) -> Response:
        body = CheckInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ticket = door.check_in(event_id=int(pk), scan=body.as_request(), actor=self.caller, now=self.now)
        return Response(TicketDetailSerializer(ticket, context=self.get_serializer_context()).data)

    @extend_schema(
        summary="Send what a device scanned offline",
        description="Each scan is answered by itself: one that is refused stops none of the others.",
        request=ScansSerializer,
        responses=ScanOutcomesSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def scans(self, request: Request, pk: str) -> Response:
        body = ScansSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        outcomes = door.record_scans(event_id=int(pk), scans=body.as_requests(), actor=self.caller, now=self.now)
        return Response(outcomes_body(outcomes))

    @extend_schema(
        summary="Read the list for the door",
        description="All tickets of the event that hold a seat, in one answer; with `changed_since`, what changed.",
        parameters=[IF_NONE_MATCH],
        filters=True,  # though it is no list with pages
        responses={200: DoorListSerializer, 304: NOT_MODIFIED},
    )
    @action(detail=True)
    def door(self, request: Request, pk: str) -> Response:
        event = door.event_at_door(int(pk), self.caller)
        # The bookings' event once more: else the database may look through those of all events for active ones.
        tickets = self.filter_queryset(Ticket.objects.of_event(event.pk).filter(booking__event=event))
        since = request.query_params.get("changed_since", "").strip()  # as the filter reads it
        if not since:  # a phone that has them already has to learn that they are gone
            tickets = tickets.filter(booking__status__in=Booking.ACTIVE)
        body = read_door_list(event, tickets, moment_of(since) if since else None)
        return versioned(request, body, event.version)

    @extend_schema(
        summary="Close the doors of an event",
        description="After its end: each confirmed booking of which nobody came becomes a no-show.",
        request=None,
        responses=DoorsClosedSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def close_doors(self, request: Request, pk: str) -> Response:
        closed = no_shows.close_doors(event_id=int(pk), actor=self.caller, now=self.now)
        return Response({"no_shows": closed})
