"""Invoices and credit notes in the admin."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from bookings.admin import BookedEventFilter, lines_of
from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ScopedAdmin
from payments.admin.common import WORK
from payments.models import Invoice, InvoiceRequest, InvoiceSeries


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
