"""The floor's own rows in the admin, for administrators: to look at, never to change."""

from django.contrib import admin

from eventhub_config.shared.models import Heartbeat, IdempotencyRecord, RateLimitCounter, StatusChange
from eventhub_config.shared.scoped_admin import ScopedAdmin


@admin.register(StatusChange)
class StatusChangeAdmin(ScopedAdmin):
    list_display = ("id", "at", "subject_type", "subject_id", "from_status", "to_status", "actor", "note")
    list_filter = ("subject_type",)
    search_fields = ("=subject_id", "=actor")
    search_help_text = "By the number of the row, or by actor: user:17, system:sweep_expired_holds."
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ScopedAdmin):
    list_display = ("id", "created_at", "user_id", "route", "resource_id", "response_status")
    search_fields = ("=user_id", "=key")
    ordering = ("-pk",)


@admin.register(RateLimitCounter)
class RateLimitCounterAdmin(ScopedAdmin):
    list_display = ("key", "count", "expires_at")
    ordering = ("-expires_at", "pk")


@admin.register(Heartbeat)
class HeartbeatAdmin(ScopedAdmin):
    list_display = ("name", "at")
    ordering = ("name",)
