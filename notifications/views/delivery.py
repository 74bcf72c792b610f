"""A person's own messages."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from eventhub_config.shared.permissions import SignedIn
from eventhub_config.shared.views import ApiViewSet
from notifications import services
from notifications.filters import NotificationFilter
from notifications.models import Notification
from notifications.serializers import MarkedSerializer, NotificationSerializer, UnreadCountSerializer
from users.authentication import signed_in


@extend_schema_view(
    list=extend_schema(summary="List your notifications, newest first"),
    retrieve=extend_schema(summary="Read a notification"),
)
class NotificationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    access = {
        "list": SignedIn,
        "retrieve": SignedIn,
        "mark_as_read": SignedIn,
        "mark_all_as_read": SignedIn,
        "unread_count": SignedIn,
    }
    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter

    def get_queryset(self) -> QuerySet[Notification]:
        return Notification.objects.visible_to(signed_in(self.request)).order_by("-created_at", "-pk")

    @extend_schema(summary="Mark a notification as read", request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def mark_as_read(self, request: Request, pk: str) -> Response:
        notification = services.mark_as_read(notification_id=self.get_object().pk, now=self.now)
        return Response(self.get_serializer(notification).data)

    @extend_schema(summary="Mark all your notifications as read", request=None, responses=MarkedSerializer)
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def mark_all_as_read(self, request: Request) -> Response:
        return Response({"marked": services.mark_all_as_read(user=signed_in(request), now=self.now)})

    @extend_schema(summary="Count your unread notifications", responses=UnreadCountSerializer)
    @action(detail=False, methods=["get"], filterset_class=None, pagination_class=None)
    def unread_count(self, request: Request) -> Response:
        return Response({"unread_count": services.unread_count(user=signed_in(request))})
