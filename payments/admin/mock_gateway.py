"""The mock gateway's own books in the admin."""

from django.contrib import admin

from eventhub_config.shared.scoped_admin import ScopedAdmin
from payments.admin.common import amount_text
from payments.models import MockGatewayEntry


@admin.register(MockGatewayEntry)
class MockGatewayEntryAdmin(ScopedAdmin):
    list_display = ("id", "kind", "reference", "amount_text", "succeeded", "failure_code", "created_at")
    list_filter = ("kind", "succeeded")
    ordering = ("-pk",)
    search_fields = ("=reference", "=charge_reference", "=key")
    fields = (
        "kind", "reference", "charge_reference", "amount_text", "succeeded", "failure_code", "created_at"
    )  # fmt: skip
    readonly_fields = ("amount_text",)

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, entry: MockGatewayEntry) -> str:
        return amount_text(entry)
