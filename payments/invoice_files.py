"""Invoices and credit notes as a file for bookkeeping: one line each, amounts to be added up."""

from decimal import Decimal

from django.db.models import QuerySet

from eventhub_config.shared import money
from eventhub_config.shared.documents.serving import PrivateFile
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.fields import moment_text
from eventhub_config.shared.spreadsheets import CSV, csv_file
from payments.models import Invoice, Payment

MOST_ROWS = 10_000
HEADER = (
    "number", "kind", "issued_at", "corrects", "seller", "seller_tax_id", "company", "name", "address", "postal_code",
    "city", "country", "tax_id", "event", "event_starts_at", "event_ends_at", "booking", "payment", "currency", "net",
    "tax_rate", "tax", "gross", "paid_at", "method", "refunded_at", "reason", "gateway", "gateway_reference", "note",
    "sent_at", "pdf_sha256",
)  # fmt: skip


class TooManyRows(DomainError):
    code = "too_many_rows"
    title = f"A file holds {MOST_ROWS} rows at most. Ask for less at once, with issued_after and issued_before."


def invoice_file(invoices: QuerySet[Invoice]) -> PrivateFile:
    """Return invoices as CSV, in the order in which they were issued.

    :raises TooManyRows: for one file.
    """
    rows = list(invoices.select_related("booking", "payment", "refund").order_by("issued_at", "pk")[: MOST_ROWS + 1])
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
        invoice.billing["address"],
        invoice.billing["postal_code"],
        invoice.billing["city"],
        invoice.billing["country"],
        invoice.billing["tax_id"],
        told.get("event", ""),
        told.get("starts_at") or "",
        told.get("ends_at") or "",
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
        *_way_of_money(invoice),
        moment_text(invoice.sent_at) if invoice.sent_at else "",
        invoice.pdf_sha256,
    ]


def _way_of_money(invoice: Invoice) -> tuple[str, str, str]:
    """Return what finds the money in the statements of gateway or bank: the gateway, its reference, a person's note."""
    payment, refund = invoice.payment, invoice.refund
    if refund is not None and refund.by_hand_note:  # whatever the gateway had refused before
        return Payment.BY_HAND, "", refund.by_hand_note
    if refund is not None:
        return payment.gateway, refund.gateway_reference, ""
    return payment.gateway, payment.gateway_reference, payment.note


def _amount(amount: Decimal, invoice: Invoice) -> Decimal:
    return money.rounded(amount, invoice.currency)
