"""Invoices and credit notes as a file for bookkeeping: one line each, amounts to be added up."""

from decimal import Decimal

from django.db.models import QuerySet

from eventhub_config.shared import money
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.fields import moment_text
from eventhub_config.shared.spreadsheets import CSV, csv_file
from payments.models import Invoice

MOST_ROWS = 10_000
HEADER = (
    "number", "kind", "issued_at", "corrects", "seller", "seller_tax_id", "company", "name", "tax_id", "country",
    "event", "booking", "payment", "currency", "net", "tax_rate", "tax", "gross", "paid_at", "method", "refunded_at",
    "reason", "sent_at", "pdf_sha256",
)  # fmt: skip


class TooManyRows(DomainError):
    code = "too_many_rows"
    title = f"A file holds {MOST_ROWS} rows at most. Ask for less at once, with issued_after and issued_before."


def invoice_file(invoices: QuerySet[Invoice]) -> PrivateFile:
    """Return invoices as CSV, in the order in which they were issued.

    :raises TooManyRows: for one file.
    """
    rows = list(invoices.select_related("booking").order_by("issued_at", "pk")[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        raise TooManyRows
    return PrivateFile("invoices.csv", f"{CSV}; charset=utf-8", csv_file(HEADER, map(_row, rows)))


def _row(invoice: Invoice) -> list[object]:
    told = invoice.supply
    return [
        invoice.number,
        invoice.kind,
        moment_text(invoice.issued_at),
        told.get("corrects_number", ""),
        invoice.seller["name"],
        invoice.seller["tax_id"],
        invoice.billing["company"],
        invoice.billing["name"],
        invoice.billing["tax_id"],
        invoice.billing["country"],
        told.get("event", ""),
        invoice.booking.reference,
        invoice.payment_id,
        invoice.currency,
        _amount(invoice.subtotal, invoice),
        "" if invoice.tax_rate is None else invoice.tax_rate,
        _amount(invoice.tax, invoice),
        _amount(invoice.total, invoice),
        told.get("paid_at") or "",
        told.get("method", ""),
        told.get("refunded_at") or "",
        told.get("reason", ""),
        moment_text(invoice.sent_at) if invoice.sent_at else "",
        invoice.pdf_sha256,
    ]


def _amount(amount: Decimal, invoice: Invoice) -> Decimal:
    return money.rounded(amount, invoice.currency)
