"""Invoices as PDF files: kept byte for byte as they were issued; and whether they were sent."""

import hashlib
from datetime import datetime

from bookings.models import Booking
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.documents.serving import PDF, PrivateFile
from eventhub_config.shared.errors import NotVisible
from eventhub_config.shared.transactions import unit_of_work
from events.services.editing import require_owner
from payments.models import Invoice, InvoiceDocument, Payment, Refund
from payments.services.invoice_content import hash_of_content, supply_of
from users.models import CustomUser


def invoice_on_paper(*, invoice_id: int, user: CustomUser) -> PrivateFile:
    """Return an invoice as it was issued.

    :raises NotVisible: there is no such invoice, or none that this user may know about.
    """
    invoice = Invoice.objects.visible_to(user).filter(pk=invoice_id).first()
    if invoice is None:
        raise NotVisible
    return file_of(invoice)


def file_of(invoice: Invoice) -> PrivateFile:
    """Return the PDF of an invoice. One from before there were documents gets its own now, once."""
    document = InvoiceDocument.objects.filter(pk=invoice.pk).first() or _draw_once(invoice_id=invoice.pk)
    return PrivateFile(f"{invoice.number}.pdf", PDF, bytes(document.content))


def keep_document(invoice: Invoice, content: bytes) -> InvoiceDocument:
    """Save an invoice that is being issued, and its PDF beside it."""
    invoice.pdf_sha256 = hashlib.sha256(content).hexdigest()
    invoice.save(force_insert=True)
    document = InvoiceDocument(invoice=invoice, content=content)
    document.save(force_insert=True)
    return document


@unit_of_work
def mark_as_sent(*, invoice_id: int, actor: Actor, now: datetime) -> Invoice:
    """Note that an invoice was sent; it keeps the first moment.

    :raises NotOwner: somebody else sold it.
    """
    invoice = Invoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    require_owner(Booking.objects.select_related("event").get(pk=invoice.booking_id).event, actor)
    if invoice.sent_at is None:
        invoice.sent_at = now
        invoice.save(update_fields=["sent_at"])
    return invoice


@unit_of_work
def _draw_once(*, invoice_id: int) -> InvoiceDocument:
    # The PDF library stays out of processes that make none.
    from payments.invoice_pdf import InvoicePaper

    invoice = Invoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    made = InvoiceDocument.objects.filter(pk=invoice_id).first()  # by somebody else, while we waited
    if made is not None:
        return made
    if not invoice.supply:
        payment = Payment.objects.select_related("booking__event").get(pk=invoice.payment_id)
        refund = Refund.objects.filter(pk=invoice.refund_id).first()
        invoice.supply = supply_of(payment, refund, invoice.corrects)
        invoice.tax_rate = payment.booking.tax_rate
    content = InvoicePaper(invoice).pdf()
    # The one change that the database takes of an issued invoice besides ``sent_at``: to what was empty.
    Invoice._base_manager.filter(pk=invoice_id, content_sha256="").update(
        tax_rate=invoice.tax_rate,
        supply=invoice.supply,
        content_sha256=hash_of_content(invoice),
        pdf_sha256=hashlib.sha256(content).hexdigest(),
    )
    document = InvoiceDocument(invoice=invoice, content=content)
    document.save(force_insert=True)
    return document
