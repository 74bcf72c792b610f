"""The floor's own rows in the admin, for administrators: to look at, never to change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from eventhub_config.shared.models import Heartbeat, IdempotencyRecord, RateLimitCounter, StatusChange
from eventhub_config.shared.scoped_admin import ScopedAdmin
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
