"""What goes back."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.permissions import OrganizerOrAdmin
from events.services.editing import NotOwner
from payments.filters import RefundFilter
from payments.models import Refund
from payments.serializers import PaidByHandSerializer, RefundSerializer
from payments.services import mark_refund_as_paid, retry_refund
from payments.services.refunding import RefundExceedsPayment
from payments.services.trying_again import AlreadyRefunded, GatewayUnavailable
from payments.views.money import MoneyViewSet


@extend_schema_view(list=extend_schema(summary="List refunds"), retrieve=extend_schema(summary="Read a refund"))
class RefundViewSet(MoneyViewSet):
    access = {**MoneyViewSet.access, "retry": OrganizerOrAdmin, "mark_as_paid": OrganizerOrAdmin}
    problems = {
        "retry": (NotOwner, RefundExceedsPayment, InvalidTransition),
        "mark_as_paid": (NotOwner, RefundExceedsPayment, InvalidTransition, AlreadyRefunded, GatewayUnavailable),
    }
    queryset = Refund.objects.none()
    serializer_class = RefundSerializer
    filterset_class = RefundFilter

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.visible_to(self.caller).select_related("payment").order_by("-created_at", "-pk")

    @extend_schema(
        summary="Have a refund sent once more",
        description="One that failed, or that was given up, by those who run the event.",
        request=None,
        responses=RefundSerializer,
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        refund = retry_refund(refund_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(refund).data)

    @extend_schema(
        summary="Note that a refund was given back by hand",
        description=(
            "By those who run the event: for money that was paid by hand, and for refunds that failed or were given "
            "up. Never for one that may be on its way: the gateway is asked first."
        ),
        request=PaidByHandSerializer,
        responses=RefundSerializer,
    )
    @action(detail=True, methods=["post"])
    def mark_as_paid(self, request: Request, pk: str) -> Response:
        body = PaidByHandSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        refund = mark_refund_as_paid(
            refund_id=self.get_object().pk, note=body.validated_data["note"], actor=self.caller, now=self.now
        )
        return Response(self.get_serializer(refund).data)
