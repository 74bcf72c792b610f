"""Paying, and what was paid."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.models import Booking
from bookings.services.booking import AlreadyBooked
from bookings.services.closing import NotYourBooking
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
from eventhub_config.shared.views import ApiViewSet
from events.availability import EventIsCancelled, RegistrationClosed, SalesEnded, SoldOut, WaitlistOpen
from events.services.editing import NotOwner
from events.services.seats import EventChanged
from payments.filters import PaymentFilter
from payments.models import Payment
from payments.serializers import (
    PaymentCreateSerializer,
    PaymentRecordSerializer,
    PaymentSerializer,
    RefundCreateSerializer,
    RefundSerializer,
)
from payments.services import charging, record_payment, refund_payment, start_payment
from payments.services.giving_back import PaymentNotCompleted
from payments.services.refunding import RefundExceedsPayment
from payments.views.money import MoneyViewSet


@extend_schema_view(list=extend_schema(summary="List payments"), retrieve=extend_schema(summary="Read a payment"))
class PaymentViewSet(MoneyViewSet):
    access = {**MoneyViewSet.access, "create": SignedIn, "refund": OrganizerOrAdmin}
    problems = {
        "create": (
            NotYourBooking,
            charging.NothingToPay,
            charging.HoldExpired,
            charging.BookingNotPayable,
            charging.PaymentInProgress,
        ),
        "refund": (NotOwner, PaymentNotCompleted, RefundExceedsPayment, InvalidTransition),
    }
    idempotent = frozenset({"create", "refund"})
    queryset = Payment.objects.none()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter

    def get_queryset(self) -> QuerySet[Payment]:
        return Payment.objects.visible_to(self.caller).order_by("-created_at", "-pk")

    @extend_schema(
        summary="Pay for a booking",
        description=(
            "All of its `amount_due`, by whoever made it. The worker takes the payment to the gateway: read it until "
            "its `status` is neither `pending` nor `processing`, and send the person to its `next_action`, if there "
            "is one."
        ),
        request=PaymentCreateSerializer,
        responses={202: PaymentSerializer},
    )
    def create(self, request: Request) -> Response:
        body = PaymentCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        payment = start_payment(
            user=self.caller,
            booking_id=body.validated_data["booking"],
            method=body.validated_data["method"],
            token=body.validated_data["token"],
            now=self.now,
            key=key,
        )
        return Response(self.get_serializer(payment).data, status=status.HTTP_202_ACCEPTED, headers=key.headers())

    @extend_schema(
        summary="Give a payment back",
        description=(
            "Whole or in part, by those who run the event. Whoever paid gets money back by cancelling. "
            "If all that was paid for a confirmed booking goes back, the booking is cancelled with it."
        ),
        request=RefundCreateSerializer,
        responses={201: RefundSerializer},
    )
    @action(detail=True, methods=["post"], serializer_class=RefundSerializer)
    def refund(self, request: Request, pk: str) -> Response:
        body = RefundCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        refund = refund_payment(
            payment_id=self.get_object().pk,
            amount=body.validated_data["amount"],
            reason=body.validated_data["reason"],
            actor=self.caller,
            now=self.now,
            key=key,
        )
        return Response(self.get_serializer(refund).data, status=status.HTTP_201_CREATED, headers=key.headers())


class BookingPaymentViewSet(ApiViewSet):
    # Paths of bookings, but what is written is ours.
    access = {"record_payment": OrganizerOrAdmin}
    problems = {
        "record_payment": (
            NotOwner, charging.NothingToPay, charging.BookingNotPayable, charging.PaymentInProgress, EventIsCancelled,
            RegistrationClosed, SalesEnded, SoldOut, WaitlistOpen, EventChanged, AlreadyBooked,
        ),
    }  # fmt: skip
    idempotent = frozenset({"record_payment"})
    queryset = Booking.objects.none()
    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Booking]:
        return Booking.objects.visible_to(self.caller)

    @extend_schema(
        summary="Record that a booking was paid by hand",
        description=(
            "By those who run the event, when they have all of `amount_due`: in cash, or by a transfer of their own. "
            "The booking is confirmed. What has to go back later, people give back: see `refunds/{id}/mark_as_paid/`."
        ),
        request=PaymentRecordSerializer,
        responses={201: PaymentSerializer},
    )
    @action(detail=True, methods=["post"])
    def record_payment(self, request: Request, pk: str) -> Response:
        body = PaymentRecordSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        payment = record_payment(
            booking_id=self.get_object().pk,
            method=body.validated_data["method"],
            note=body.validated_data["note"],
            actor=self.caller,
            now=self.now,
            key=key,
        )
        return Response(self.get_serializer(payment).data, status=status.HTTP_201_CREATED, headers=key.headers())
