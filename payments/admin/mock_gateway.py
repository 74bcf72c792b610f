"""The mock gateway's own books in the admin."""

from django.contrib import admin

from eventhub_config.shared.scoped_admin import ScopedAdmin
from payments.admin.common import WORK, amount_text
from payments.models import MockGatewayEntry, MockGatewayMessage


@admin.register(MockGatewayEntry)
class MockGatewayEntryAdmin(ScopedAdmin):
    list_display = ("id", "kind", "reference", "amount_text", "succeeded", "failure_code", "created_at")
    list_filter = ("kind", "succeeded")
    ordering = ("-pk",)
    search_fields = ("=reference", "=charge_reference", "=key")
    fields = (
        "kind", "reference", "charge_reference", "amount_text", "succeeded", "failure_code", "settles_at",
        "awaits_person", "script", "created_at",
    )  # fmt: skip
    readonly_fields = ("amount_text",)

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, entry: MockGatewayEntry) -> str:
        return amount_text(entry)


@admin.register(MockGatewayMessage)
class MockGatewayMessageAdmin(ScopedAdmin):
    list_display = ("id", "entry", "event_id", "answer", "attempts", "created_at", "delivered_at", "last_error")
    list_filter = ("answer", "created_at")
    list_select_related = ("entry",)
    ordering = ("-pk",)
    search_fields = ("=event_id", "=entry__reference", "=entry__key")
    fields = ("entry", "event_id", "body", "answer", "created_at", "delivered_at", *WORK)
