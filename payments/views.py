"""Payments, refunds and invoices over HTTP. Nobody edits or deletes any of them."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.services.closing import NotYourBooking
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.permissions import SignedIn
from eventhub_config.shared.views import ApiViewSet
from payments.filters import InvoiceFilter, PaymentFilter, RefundFilter
from payments.models import Invoice, Payment, Refund
from payments.serializers import InvoiceSerializer, PaymentCreateSerializer, PaymentSerializer, RefundSerializer
from payments.services import charging, start_payment


class MoneyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Lists and single rows of money: one's own, and those of events that one runs."""

    access = {"list": SignedIn, "retrieve": SignedIn}


@extend_schema_view(list=extend_schema(summary="List payments"), retrieve=extend_schema(summary="Read a payment"))
class PaymentViewSet(MoneyViewSet):
    access = {**MoneyViewSet.access, "create": SignedIn}
    problems = {
        "create": (
            NotYourBooking,
            charging.NothingToPay,
            charging.HoldExpired,
            charging.BookingNotPayable,
            charging.PaymentInProgress,
        )
    }
    idempotent = frozenset({"create"})
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


@extend_schema_view(list=extend_schema(summary="List refunds"), retrieve=extend_schema(summary="Read a refund"))
class RefundViewSet(MoneyViewSet):
    queryset = Refund.objects.none()
    serializer_class = RefundSerializer
    filterset_class = RefundFilter

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.visible_to(self.caller).select_related("payment").order_by("-created_at", "-pk")


@extend_schema_view(
    list=extend_schema(summary="List invoices and credit notes"), retrieve=extend_schema(summary="Read an invoice")
)
class InvoiceViewSet(MoneyViewSet):
    queryset = Invoice.objects.none()
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.visible_to(self.caller).order_by("-issued_at", "-pk")
