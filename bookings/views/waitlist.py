"""The waitlist over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.filters import WaitlistFilter
from bookings.models import Waitlist
from bookings.serializers.waitlist import (
    AcceptOfferSerializer,
    JoinWaitlistSerializer,
    OfferNextSerializer,
    WaitlistSerializer,
)
from bookings.services import accept_offer, decline_offer, join_waitlist, leave_waitlist, offer_next
from bookings.services.booking import AlreadyBooked, BookingPaused, TooFewSeats, TooManyOpenHolds, TooManySeats
from bookings.services.waitlist import AlreadyWaiting, NobodyWaiting, NotYourPlace, OfferLapsed, SeatsAvailable
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
from eventhub_config.shared.views import ApiViewSet
from events.availability import EventIsCancelled, NotPublished, RegistrationClosed, SalesEnded, SalesNotStarted, SoldOut
from events.models import Event
from events.services.editing import NotOwner, require_owner

CLOSED = (NotPublished, EventIsCancelled, RegistrationClosed)


@extend_schema_view(
    list=extend_schema(summary="List your places in queues, and those on events that you run"),
    retrieve=extend_schema(summary="Read a place in a queue"),
)
class WaitlistViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = dict.fromkeys(("list", "retrieve", "create", "accept", "decline", "leave"), SignedIn)
    problems = {
        "create": (
            *CLOSED, SalesNotStarted, SalesEnded, AlreadyBooked, AlreadyWaiting, TooManySeats, TooFewSeats,
            SeatsAvailable,
        ),
        "accept": (
            *CLOSED, NotYourPlace, OfferLapsed, InvalidTransition, AlreadyBooked, TooManyOpenHolds, BookingPaused,
        ),
        "decline": (NotYourPlace, InvalidTransition),
        "leave": (NotYourPlace, InvalidTransition),
    }  # fmt: skip
    idempotent = frozenset({"create", "accept"})
    queryset = Waitlist.objects.none()
    serializer_class = WaitlistSerializer
    filterset_class = WaitlistFilter

    def get_queryset(self) -> QuerySet[Waitlist]:
        return Waitlist.objects.visible_to(self.caller).select_related("user").order_by("-pk")

    @extend_schema(
        summary="Join the waitlist of an event",
        description="Where a booking of these seats is refused with `sold_out` or `waitlist_open`; nothing is charged.",
        request=JoinWaitlistSerializer,
        responses={201: WaitlistSerializer},
    )
    def create(self, request: Request) -> Response:
        body = JoinWaitlistSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values, key = body.validated_data, idempotency_key(request)
        entry = join_waitlist(
            user=self.caller,
            event_id=values["event"],
            ticket_type=values.get("ticket_type"),
            seats=values["seats"],
            now=self.now,
            key=key,
        )
        return Response(self.get_serializer(entry).data, status=201, headers=key.headers())

    @extend_schema(
        summary="Book the seats that you were offered", request=AcceptOfferSerializer, responses=WaitlistSerializer
    )
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """The answer names your booking: confirmed if it is free, else pending until it is paid."""
        body = AcceptOfferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        entry = accept_offer(
            entry_id=self.get_object().pk,
            actor=self.caller,
            acceptance=body.as_acceptance(),
            now=self.now,
            key=key,
        )
        return Response(self.get_serializer(entry).data, headers=key.headers())

    @extend_schema(summary="Turn down the seats that you were offered", request=None, responses=WaitlistSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        entry = decline_offer(entry_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(entry).data)

    @extend_schema(summary="Give up a place in a queue", request=None, responses=WaitlistSerializer)
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, pk: str) -> Response:
        """Those who run the event can take somebody out of its queue; the person is told."""
        entry = leave_waitlist(entry_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(entry).data)


class EventQueueViewSet(ApiViewSet):
    # A path of events, but the queue is ours.
    access = {"offer_next": OrganizerOrAdmin}
    problems = {"offer_next": (NotOwner, NobodyWaiting, SoldOut, *CLOSED, SalesNotStarted, SalesEnded)}
    queryset = Waitlist.objects.none()
    serializer_class = WaitlistSerializer

    @extend_schema(
        summary="Offer free seats to the next party that they are enough for",
        request=OfferNextSerializer,
        responses=WaitlistSerializer,
    )
    @action(detail=True, methods=["post"])
    def offer_next(self, request: Request, pk: str) -> Response:
        """Free seats are offered by themselves. This does not wait any longer for a larger party at the head of the
        queue: the next that fits is served, and those before it can see so.
        """
        event = get_object_or_404(Event.objects.visible_to(self.caller), pk=pk)
        require_owner(event, self.caller)
        body = OfferNextSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        entry = offer_next(event_id=event.pk, actor=self.caller, now=self.now, **body.validated_data)
        return Response(self.get_serializer(entry).data)
