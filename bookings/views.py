"""Bookings over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import AttendeeFilter, BookingFilter
from bookings.models import Booking, Ticket
from bookings.serializers import (
    AttendeeSerializer,
    BookingCreateSerializer,
    BookingSerializer,
    CancelSerializer,
    EligibilitySerializer,
    eligibility_body,
)
from bookings.services import book_seats, cancel_booking, read_eligibility
from bookings.services.booking import AlreadyBooked, TooFewSeats, TooManyOpenHolds, TooManySeats
from bookings.services.closing import NotYourBooking
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import Anyone, OrganizerOrAdmin, SignedIn
from eventhub_config.shared.views import ApiViewSet
from events.availability import (
    EventIsCancelled,
    NotPublished,
    RegistrationClosed,
    SalesEnded,
    SalesNotStarted,
    SoldOut,
    WaitlistOpen,
)
from events.models import Event
from events.services.editing import EventHasStarted, NotOwner, require_owner
from events.services.seats import EventChanged


@extend_schema_view(
    list=extend_schema(summary="List your bookings, and those on events that you run"),
    retrieve=extend_schema(summary="Read a booking"),
)
class BookingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {"list": SignedIn, "retrieve": SignedIn, "create": SignedIn, "cancel": SignedIn}
    problems = {
        "create": (
            NotPublished, EventIsCancelled, RegistrationClosed, SalesNotStarted, SalesEnded, SoldOut, WaitlistOpen,
            AlreadyBooked, TooManySeats, TooFewSeats, TooManyOpenHolds, EventChanged,
        ),
        "cancel": (NotYourBooking, EventHasStarted, InvalidTransition),
    }  # fmt: skip
    idempotent = frozenset({"create", "cancel"})
    queryset = Booking.objects.none()
    serializer_class = BookingSerializer
    filterset_class = BookingFilter

    def get_queryset(self) -> QuerySet[Booking]:
        bookings = Booking.objects.visible_to(self.caller)
        return bookings.prefetch_related("tickets").order_by("-created_at", "-pk")

    @extend_schema(summary="Book seats", request=BookingCreateSerializer, responses={201: BookingSerializer})
    def create(self, request: Request) -> Response:
        body = BookingCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        booking = book_seats(user=self.caller, request=body.as_request(), now=self.now, key=key)
        return Response(self.get_serializer(booking).data, status=201, headers=key.headers())

    @extend_schema(summary="Cancel a booking", request=CancelSerializer, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        body = CancelSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        booking = cancel_booking(
            booking_id=self.get_object().pk,
            actor=self.caller,
            now=self.now,
            reason=body.validated_data["reason"],
            key=key,
        )
        return Response(self.get_serializer(booking).data, headers=key.headers())


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
