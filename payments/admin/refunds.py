"""Refunds in the admin."""

from django.contrib import admin

from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ScopedAdmin
from payments.admin.common import WORK, PaidEventFilter
from payments.models import Refund


@admin.register(Refund)
class RefundAdmin(ScopedAdmin):
    organizer_path = "payment__booking__event__organizer"
    list_display = ("id", "payment", "amount_text", "status", "reason", "created_at", "completed_at")
    list_filter = ("status", PaidEventFilter, "created_at")
    list_select_related = ("payment",)
    ordering = ("-pk",)
    search_fields = ("=payment__booking__reference", "payment__booking__user__email", "=gateway_reference")
    search_help_text = "By the booking's reference, the attendee's e-mail address, or the gateway's reference."
    fields = (
        "payment", "status", "amount_text", "reason", "gateway_reference", "created_at", "completed_at", *WORK
    )  # fmt: skip
    readonly_fields = ("amount_text",)

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, refund: Refund) -> str:
        return f"{money.as_text(refund.amount, refund.payment.currency)} {refund.payment.currency}"
