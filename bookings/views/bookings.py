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
    BookingCreateSerializer,
    BookingSerializer,
    CancelSerializer,
)
from bookings.services import book_seats, cancel_booking
from bookings.services.booking import AlreadyBooked, TooFewSeats, TooManyOpenHolds, TooManySeats
from bookings.services.closing import NotYourBooking
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import SignedIn
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
from events.services.editing import EventHasStarted
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
