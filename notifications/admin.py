"""Messages in the admin: administrators see all, everybody else only what was sent to themselves."""

from datetime import datetime

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.scoped_admin import BoundedActions
from notifications import services
from notifications.models import Notification
from users.authentication import signed_in


@admin.register(Notification)
class NotificationAdmin(BoundedActions):
    list_display = ("id", "user", "kind", "title", "status", "skip_reason", "is_read", "created_at", "sent_at")
    list_display_links = ("id", "title")
    list_filter = ("status", "type", "is_read", "created_at")
    list_select_related = ("user",)
    search_fields = ("=id", "title", "=dedupe_key", "=user__username", "=user__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    actions = ("mark_selected_as_read", "resend_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows = Notification.objects.order_by(*self.ordering)
        user = signed_in(request)
        return rows if user.is_platform_admin else rows.visible_to(user)

    def get_readonly_fields(self, request: HttpRequest, obj: Notification | None = None) -> list[str]:
        return [field.name for field in Notification._meta.concrete_fields]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return signed_in(request).is_platform_admin

    @admin.action(description="Mark selected notifications as read", permissions=["view"])
    def mark_selected_as_read(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        now = timezone.now()
        for notification in queryset.order_by("pk"):
            services.mark_as_read(notification_id=notification.pk, now=now)

    @admin.action(description="Resend selected notifications that failed", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        now = timezone.now()
        for notification in queryset.order_by("pk"):
            self._resend(request, notification, now)

    def _resend(self, request: HttpRequest, notification: Notification, now: datetime) -> None:
        try:
            services.resend(notification_id=notification.pk, actor=signed_in(request), now=now)
        except DomainError as error:
            self.message_user(request, f"{notification}: {error}", messages.WARNING)
