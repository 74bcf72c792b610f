"""What is told of an event's bookings, under the event's own address."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import AttendeeFilter
from bookings.models import Booking, Ticket
from bookings.serializers import (
    AttendeeSerializer,
    EligibilitySerializer,
    eligibility_body,
)
from bookings.services import read_eligibility
from eventhub_config.shared.permissions import Anyone, OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.models import Event
from events.services.editing import NotOwner, require_owner


class BookedEventViewSet(ApiViewSet):
    # Paths of events, but what they tell is ours.
    access = {"eligibility": Anyone, "attendees": OrganizerOrAdmin}
    problems = {"attendees": (NotOwner,)}
    lists = frozenset({"attendees"})
    queryset = Ticket.objects.none()
    filterset_class = AttendeeFilter

    @extend_schema(summary="Whether you can book an event, and what is yours of it", responses=EligibilitySerializer)
    @action(detail=True, serializer_class=EligibilitySerializer)
    def eligibility(self, request: Request, pk: str) -> Response:
        person = self.caller if request.user.is_authenticated else None
        found = read_eligibility(event_id=int(pk), user=person, now=self.now)
        return Response(eligibility_body(found), headers={"Cache-Control": "no-store"})

    @extend_schema(summary="List the attendees of an event that you run", responses=AttendeeSerializer(many=True))
    @action(detail=True, serializer_class=AttendeeSerializer)
    def attendees(self, request: Request, pk: str) -> Response:
        event = get_object_or_404(Event.objects.visible_to(self.caller), pk=pk)
        require_owner(event, self.caller)
        # The bookings' event once more: else the database may look through those of all events for active ones.
        tickets = Ticket.objects.of_event(event.pk).filter(booking__event=event)
        tickets = tickets.select_related("booking__user").order_by("pk")
        if not request.query_params.get("booking_status"):
            tickets = tickets.filter(booking__status__in=Booking.ACTIVE)
        page = self.paginate_queryset(self.filter_queryset(tickets))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
