"""Paying, and what was paid."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.services.closing import NotYourBooking
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import OrganizerOrAdmin, SignedIn
from events.services.editing import NotOwner
from payments.filters import PaymentFilter
from payments.models import Payment
from payments.serializers import PaymentCreateSerializer, PaymentSerializer, RefundCreateSerializer, RefundSerializer
from payments.services import charging, refund_payment, start_payment
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

    @extend_schema(summary="Pay for a booking", request=PaymentCreateSerializer, responses={202: PaymentSerializer})
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
