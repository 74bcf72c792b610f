"""What goes back."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from payments.filters import RefundFilter
from payments.models import Refund
from payments.serializers import RefundSerializer
from payments.views.money import MoneyViewSet


@extend_schema_view(list=extend_schema(summary="List refunds"), retrieve=extend_schema(summary="Read a refund"))
class RefundViewSet(MoneyViewSet):
    queryset = Refund.objects.none()
    serializer_class = RefundSerializer
    filterset_class = RefundFilter

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.visible_to(self.caller).select_related("payment").order_by("-created_at", "-pk")
