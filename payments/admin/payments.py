"""Payments in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bookings.admin import BookedEventFilter
from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ScopedAdmin, ScopedInline
from payments.admin.common import WORK, amount_text
from payments.models import Payment, Refund


class RefundInline(ScopedInline):
    model = Refund
    organizer_path = "payment__booking__event__organizer"
    fields = ("amount_text", "reason", "status", "created_at", "completed_at")
    readonly_fields = ("amount_text",)
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment")

    @admin.display(description="amount")
    def amount_text(self, refund: Refund) -> str:
        return money.as_text(refund.amount, refund.payment.currency)


@admin.register(Payment)
class PaymentAdmin(ScopedAdmin):
    organizer_path = "booking__event__organizer"
    inlines = (RefundInline,)
    list_display = ("id", "booking", "amount_text", "status", "method", "gateway", "failure_code", "created_at")
    list_filter = ("status", "method", BookedEventFilter, "created_at")
    list_select_related = ("booking",)
    ordering = ("-pk",)
    search_fields = ("=booking__reference", "booking__user__email", "=gateway_reference")
    search_help_text = "By the booking's reference, the attendee's e-mail address, or the gateway's reference."
    fields = (
        "booking", "status", "amount_text", "refunded_text", "method", "gateway", "gateway_reference", "failure_code",
        "created_at", "completed_at", *WORK,
    )  # fmt: skip
    readonly_fields = ("amount_text", "refunded_text")

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, payment: Payment) -> str:
        return amount_text(payment)

    @admin.display(description="given back")
    def refunded_text(self, payment: Payment) -> str:
        return f"{money.as_text(payment.refunded_amount, payment.currency)} {payment.currency}"
