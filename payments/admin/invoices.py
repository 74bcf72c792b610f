"""Invoices and credit notes in the admin."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.html import format_html, format_html_join

from bookings.admin import BookedEventFilter, lines_of
from eventhub_config.shared import money
from eventhub_config.shared.admin_forms import explain
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.scoped_admin import ScopedAdmin
from payments import services
from payments.admin.common import WORK, NeedsAttentionFilter, TriesAgain
from payments.invoice_files import TooManyRows, invoice_file
from payments.models import Invoice, InvoiceDocument, InvoiceRequest, InvoiceSeries
from payments.services.invoice_papers import file_of
from users.authentication import signed_in


class SentFilter(admin.SimpleListFilter):
    title = "sent"
    parameter_name = "sent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "Not yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(sent_at__isnull=self.value() == "no") if self.value() in {"yes", "no"} else queryset


def _answer(file: PrivateFile) -> HttpResponse:
    return HttpResponse(file.content, content_type=file.media_type, headers=file.headers())


@admin.register(Invoice)
class InvoiceAdmin(ScopedAdmin):
    organizer_path = "booking__event__organizer"
    list_display = ("number", "kind", "booking", "total_text", "issued_at", "sent_at")
    list_filter = ("kind", SentFilter, BookedEventFilter, "issued_at")
    list_select_related = ("booking",)
    ordering = ("-pk",)
    search_fields = ("=number", "=booking__reference", "booking__user__email")
    search_help_text = "By number, the booking's reference, or the attendee's e-mail address."
    actions = ("mark_as_sent_selected", "invoice_as_pdf", "export_selected")
    row_actions = {"invoice_as_pdf": "PDF"}
    fieldsets = (
        (None, {"fields": ("number", "kind", "corrects", "booking", "payment", "issued_at", "sent_at")}),
        ("Amounts", {"fields": ("line_texts", "subtotal_text", "tax_text", "total_text")}),
        ("Who and what", {"fields": ("sold_by", "billed_to", "supplied")}),
        (
            "Fingerprints",
            {"fields": ("content_sha256", "pdf_sha256"), "description": "SHA-256, made when it was issued."},
        ),
    )
    readonly_fields = ("line_texts", "subtotal_text", "tax_text", "total_text", "sold_by", "billed_to", "supplied")

    def row_actions_of(self, row: Invoice) -> dict[str, str]:
        return {**self.row_actions, **({} if row.sent_at else {"mark_as_sent_selected": "Mark as sent"})}

    @admin.action(description="Mark selected invoices as sent", permissions=["view"])
    def mark_as_sent_selected(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        def mark(invoice: Invoice, now: datetime) -> None:
            services.mark_as_sent(invoice_id=invoice.pk, actor=signed_in(request), now=now)

        self.do_each(request, queryset, mark, "marked as sent")

    @admin.action(description="Invoice as PDF (of one row)", permissions=["view"])
    def invoice_as_pdf(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponseBase | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one row: a file holds one invoice.", messages.WARNING)
            return None
        return _answer(file_of(chosen[0]))

    @admin.action(description="Selected invoices as CSV, for bookkeeping", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponseBase | None:
        try:
            return _answer(invoice_file(queryset))
        except TooManyRows as refusal:
            self.message_user(request, explain(refusal), messages.WARNING)
            return None

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
        rate = "" if invoice.tax_rate is None else f" ({invoice.tax_rate} %)"
        return f"{money.as_text(invoice.tax, invoice.currency)} {invoice.currency}{rate}"

    @admin.display(description="total", ordering="total")
    def total_text(self, invoice: Invoice) -> str:
        return f"{money.as_text(invoice.total, invoice.currency)} {invoice.currency}"

    @admin.display(description="seller")
    def sold_by(self, invoice: Invoice) -> str:
        return lines_of(invoice.seller)

    @admin.display(description="billed to")
    def billed_to(self, invoice: Invoice) -> str:
        return lines_of(invoice.billing)

    @admin.display(description="sold")
    def supplied(self, invoice: Invoice) -> str:
        return lines_of(invoice.supply)


@admin.register(InvoiceDocument)
class InvoiceDocumentAdmin(ScopedAdmin):
    """The files as they were issued; an invoice's own page downloads them."""

    organizer_path = "invoice__booking__event__organizer"
    list_display = ("number", "fingerprint")
    list_select_related = ("invoice",)
    ordering = ("-pk",)
    search_fields = ("=invoice__number",)
    search_help_text = "By number."
    fields = ("number", "fingerprint")
    readonly_fields = ("number", "fingerprint")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceDocument]:
        return super().get_queryset(request).defer("content")

    @admin.display(description="number", ordering="invoice__number")
    def number(self, document: InvoiceDocument) -> str:
        return document.invoice.number

    @admin.display(description="SHA-256")
    def fingerprint(self, document: InvoiceDocument) -> str:
        return document.invoice.pdf_sha256


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(ScopedAdmin):
    organizer_path = "organizer"
    list_display = ("prefix", "kind", "last_number")
    list_filter = ("kind",)
    ordering = ("prefix", "kind")
    search_fields = ("prefix",)
    fields = ("prefix", "kind", "last_number")


@admin.register(InvoiceRequest)
class InvoiceRequestAdmin(TriesAgain):
    """Invoices that are owed, for administrators: an organizer sees the invoice itself."""

    list_display = ("id", "kind", "payment", "invoice", "created_at", *WORK)
    list_filter = ("kind", NeedsAttentionFilter)
    list_select_related = ("payment", "invoice")
    ordering = ("-pk",)
    actions = ("try_again_selected",)
    fields = ("kind", "payment", "refund", "invoice", "created_at", *WORK)

    def try_again(self, request: HttpRequest, row: InvoiceRequest, now: datetime) -> None:
        services.retry_invoice(request_id=row.pk, actor=signed_in(request), now=now)
