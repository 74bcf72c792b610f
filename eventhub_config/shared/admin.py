"""The floor's own rows in the admin, for administrators: to look at, and to have work tried again."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from eventhub_config.shared.images.admin import preview
from eventhub_config.shared.images.storing import retry
from eventhub_config.shared.models import Heartbeat, IdempotencyRecord, RateLimitCounter, StatusChange, StoredImage
from eventhub_config.shared.scoped_admin import ScopedAdmin, is_administrator
from eventhub_config.shared.transitions import status_models


class SubjectFilter(admin.SimpleListFilter):
    title = "subject"
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(model._meta.label_lower, str(model._meta.verbose_name)) for model in status_models()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StatusChange]) -> QuerySet[StatusChange]:
        return queryset.filter(subject_type=self.value()) if self.value() else queryset


@admin.register(StatusChange)
class StatusChangeAdmin(ScopedAdmin):
    list_display = ("id", "at", "subject_type", "subject_id", "from_status", "to_status", "actor", "note")
    list_filter = (SubjectFilter,)
    search_fields = ("subject_id__exact", "=actor")
    search_help_text = "By the number of the row, or by actor: user:17, system:sweep_expired_holds."
    ordering = ("-pk",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ScopedAdmin):
    list_display = ("id", "created_at", "user_id", "route", "resource_id", "response_status")
    search_fields = ("user_id__exact", "=key")
    ordering = ("-pk",)


@admin.register(RateLimitCounter)
class RateLimitCounterAdmin(ScopedAdmin):
    list_display = ("key", "count", "expires_at")
    ordering = ("-expires_at", "pk")


@admin.register(Heartbeat)
class HeartbeatAdmin(ScopedAdmin):
    list_display = ("name", "at")
    ordering = ("name",)


class ImageStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states = {
        "parked": ("given up", Q(parked_at__isnull=False)),
        "owed": ("waiting for the worker", Q(next_attempt_at__isnull=False, parked_at=None)),
        "discarded": ("discarded", Q(discarded_at__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _condition) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StoredImage]) -> QuerySet[StoredImage]:
        _label, condition = self.states.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


@admin.register(StoredImage)
class StoredImageAdmin(ScopedAdmin):
    """Pictures are set and removed where they belong: on the pages of events and users."""

    list_display = (
        "key", "shown", "purpose", "uploaded_by", "width", "height", "created_at", "rendered_at", "discarded_at",
        "parked_at", "last_error",
    )  # fmt: skip
    list_filter = ("purpose", ImageStateFilter)
    search_fields = ("=key", "=uploaded_by")
    search_help_text = "By key, as it stands in the address, or by the number of the user who sent it."
    date_hierarchy = "created_at"
    ordering = ("-created_at", "pk")
    actions = ("retry_selected",)
    row_actions = {"retry_selected": "Try again"}
    readonly_fields = ("shown",)

    @admin.display(description="picture", empty_value="-")
    def shown(self, image: StoredImage) -> str | None:
        return preview(image, height=48)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request)

    def row_actions_of(self, row: StoredImage) -> dict[str, str]:
        return dict(self.row_actions) if row.parked_at else {}

    @admin.action(description="Try again what was given up", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[StoredImage]) -> None:
        def again(image: StoredImage, now: datetime) -> None:
            retry(key=image.key, now=now)

        self.do_each(request, queryset, again, "to be worked on again")
