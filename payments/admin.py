"""Money in the admin: looked at, never added, edited or deleted here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from bookings.admin import BookedEventFilter, lines_of
from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ScopedAdmin, ScopedInline
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, MockGatewayEntry, Payment, Refund

# What became of the work that a row stands for.
WORK = ("attempts", "next_attempt_at", "parked_at", "last_error")


def amount_text(row: Any) -> str:
    return f"{money.as_text(row.amount, row.currency)} {row.currency}"


class PaidEventFilter(BookedEventFilter):
    path = "payment__booking__event"


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


@admin.register(Invoice)
class InvoiceAdmin(ScopedAdmin):
    organizer_path = "booking__event__organizer"
    list_display = ("number", "kind", "booking", "total_text", "issued_at", "sent_at")
    list_filter = ("kind", BookedEventFilter, "issued_at")
    list_select_related = ("booking",)
    ordering = ("-pk",)
    search_fields = ("=number", "=booking__reference", "booking__user__email")
    search_help_text = "By number, the booking's reference, or the attendee's e-mail address."
    fields = (
        "number", "kind", "corrects", "booking", "payment", "issued_at", "sent_at",
        "line_texts", "subtotal_text", "tax_text", "total_text", "sold_by", "billed_to",
    )  # fmt: skip
    readonly_fields = ("line_texts", "subtotal_text", "tax_text", "total_text", "sold_by", "billed_to")

    @admin.display(description="lines")
    def line_texts(self, invoice: Invoice) -> str:
        lines = ((line["quantity"], line["description"], line["unit_price"], line["total"]) for line in invoice.lines)
        rows = format_html_join("", "<tr><td>{} &times;</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        return format_html("<table>{}</table>", rows)

    @admin.display(description="net")
    def subtotal_text(self, invoice: Invoice) -> str:
        return f"{money.as_text(invoice.subtotal, invoice.currency)} {invoice.currency}"

    @admin.display(description="tax")
    def tax_text(self, invoice: Invoice) -> str:
        return f"{money.as_text(invoice.tax, invoice.currency)} {invoice.currency}"

    @admin.display(description="total", ordering="total")
    def total_text(self, invoice: Invoice) -> str:
        return f"{money.as_text(invoice.total, invoice.currency)} {invoice.currency}"

    @admin.display(description="seller")
    def sold_by(self, invoice: Invoice) -> str:
        return lines_of(invoice.seller)

    @admin.display(description="billed to")
    def billed_to(self, invoice: Invoice) -> str:
        return lines_of(invoice.billing)


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(ScopedAdmin):
    organizer_path = "organizer"
    list_display = ("prefix", "kind", "last_number")
    list_filter = ("kind",)
    ordering = ("prefix", "kind")
    search_fields = ("prefix",)
    fields = ("prefix", "kind", "last_number")


@admin.register(InvoiceRequest)
class InvoiceRequestAdmin(ScopedAdmin):
    """Invoices that are owed, for administrators: an organizer sees the invoice itself."""

    list_display = ("id", "kind", "payment", "invoice", "created_at", *WORK)
    list_filter = ("kind", "parked_at")
    list_select_related = ("payment", "invoice")
    ordering = ("-pk",)
    fields = ("kind", "payment", "refund", "invoice", "created_at", *WORK)


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
