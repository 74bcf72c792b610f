"""Bookings over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import BookingFilter
from bookings.models import Booking
from bookings.serializers import (
    BookingChangeSerializer,
    BookingCreateSerializer,
    BookingSerializer,
    CancellationSerializer,
    CancelSerializer,
    ConfirmSerializer,
    cancellation_body,
)
from bookings.services import book_seats, cancel_booking, cancellation_terms, change_booking, confirm_by_hand
from bookings.services.booking import AlreadyBooked, BookingPaused, TooFewSeats, TooManyOpenHolds, TooManySeats
from bookings.services.changing import BookingIsClosed
from bookings.services.closing import NotYourBooking
from bookings.services.no_shows import EventNotStarted, SomebodyCame, mark_no_show, undo_no_show
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
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
from events.services.editing import EventHasStarted, NotOwner
from events.services.seats import EventChanged


@extend_schema_view(
    list=extend_schema(summary="List your bookings, and those on events that you run"),
    retrieve=extend_schema(summary="Read a booking"),
)
class BookingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {
        "list": SignedIn,
        "retrieve": SignedIn,
        "create": SignedIn,
        "partial_update": SignedIn,
        "cancel": SignedIn,
        "cancellation": SignedIn,
        "confirm": OrganizerOrAdmin,
        "no_show": OrganizerOrAdmin,
        "undo_no_show": OrganizerOrAdmin,
    }
    problems = {
        "create": (
            NotPublished, EventIsCancelled, RegistrationClosed, SalesNotStarted, SalesEnded, SoldOut, WaitlistOpen,
            AlreadyBooked, TooManySeats, TooFewSeats, TooManyOpenHolds, BookingPaused,
            EventChanged,
        ),
        "partial_update": (NotYourBooking, BookingIsClosed, EventHasStarted),
        "cancel": (NotYourBooking, EventHasStarted, InvalidTransition),
        "confirm": (NotOwner, EventIsCancelled, InvalidTransition),
        "no_show": (NotOwner, EventIsCancelled, EventNotStarted, SomebodyCame, InvalidTransition),
        "undo_no_show": (NotOwner, InvalidTransition),
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

    @extend_schema(
        summary="Change attendees, requirements and billing",
        description="By whoever booked, until the event starts. Prices, seats and invoices stay as they are.",
        request=BookingChangeSerializer,
        responses=BookingSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        body = BookingChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        booking = change_booking(
            booking_id=self.get_object().pk, actor=self.caller, now=self.now, **body.validated_data
        )
        return Response(self.get_serializer(booking).data)

    @extend_schema(
        summary="See what cancelling a booking would give back",
        description="What `cancel` would do now, if you called it.",
        responses=CancellationSerializer,
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def cancellation(self, request: Request, pk: str) -> Response:
        booking = self.get_object()
        terms = cancellation_terms(booking, self.caller, self.now)
        return Response(cancellation_body(booking, terms), headers={"Cache-Control": "no-store"})

    @extend_schema(
        summary="Confirm a booking without a payment",
        description="By those who run the event. Nothing is due any more: a payment that is under way goes back.",
        request=ConfirmSerializer,
        responses=BookingSerializer,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        body = ConfirmSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        booking = confirm_by_hand(
            booking_id=self.get_object().pk, reason=body.validated_data["reason"], actor=self.caller, now=self.now
        )
        return Response(self.get_serializer(booking).data)

    @extend_schema(summary="Note that nobody of a booking came", request=None, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def no_show(self, request: Request, pk: str) -> Response:
        booking = mark_no_show(booking_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(booking).data)

    @extend_schema(summary="Take a no-show back", request=None, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def undo_no_show(self, request: Request, pk: str) -> Response:
        booking = undo_no_show(booking_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(booking).data)
