"""Invoices and credit notes: owed as a row, issued by a worker, numbered without gaps."""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Sum

from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.transactions import unit_of_work
from payments import signals
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, Payment, Refund
from payments.services.invoice_content import (
    amounts_given_back,
    amounts_of,
    billing_of,
    hash_of_content,
    line_given_back,
    lines_of_booking,
    seller_of,
    supply_of,
    with_net,
)
from payments.services.invoice_papers import keep_document
from users.models import OrganizerProfile

logger = logging.getLogger(__name__)


class InvoiceNotReadyError(Exception):
    """The invoice that a credit note corrects has not been issued yet."""


def request_invoice(*, payment: Payment, now: datetime) -> None:
    """Owe the invoice of a completed payment: one, however often this is called.

    With it come the credit notes of what went back before anybody knew that the payment would be kept.
    """
    if _request(Invoice.Kind.INVOICE, payment, None, now):
        for refund in Refund.objects.filter(payment=payment, status=Refund.Status.COMPLETED).order_by("pk"):
            request_credit_note(refund=refund, now=now)


def request_credit_note(*, refund: Refund, now: datetime) -> None:
    """Owe the credit note of a completed refund, if its payment has an invoice or is owed one."""
    if InvoiceRequest.objects.filter(payment_id=refund.payment_id, kind=Invoice.Kind.INVOICE).exists():
        _request(Invoice.Kind.CREDIT_NOTE, refund.payment, refund, now)


def _request(kind: str, payment: Payment, refund: Refund | None, now: datetime) -> bool:
    """Owe an invoice or credit note; return whether it was not owed before."""
    request, made = InvoiceRequest.objects.get_or_create(
        kind=kind,
        payment=payment,
        refund=refund,
        defaults={"created_at": now, "next_attempt_at": now},
    )
    if made:
        signals.invoice_requested.send(sender=InvoiceRequest, request=request, now=now)
    return made


def issue_invoice(*, request_id: int, now: datetime) -> None:
    """Issue an invoice that is owed. A failure is recorded on its row and tried again later."""
    if not _count_attempt(request_id=request_id, now=now):
        return
    try:
        _issue(request_id=request_id, now=now)
    except InvoiceNotReadyError as error:
        _put_off(request_id=request_id, reason=str(error), now=now)
    except Exception as error:
        logger.exception("Invoice request %s failed", request_id)
        _put_off(request_id=request_id, reason=repr(error), now=now)
        raise


@unit_of_work
def _count_attempt(*, request_id: int, now: datetime) -> bool:
    """Count an attempt before it is made, and return whether to make it.

    One that takes its worker with it could not be counted afterwards: it would be made for ever.
    """
    request = InvoiceRequest.objects.select_for_update(no_key=True).filter(pk=request_id, invoice=None).first()
    if request is None:
        return False
    may_try = request.attempts < request.MAX_ATTEMPTS
    if may_try:
        request.attempts += 1
    elif request.parked_at is None:
        request.parked_at = now
        request.last_error = request.last_error or "Its workers died over it."
    request.save(update_fields=request.WORK_COLUMNS)
    return may_try


@unit_of_work
def _issue(*, request_id: int, now: datetime) -> Invoice | None:
    # The PDF library stays out of processes that make none.
    from payments.invoice_pdf import InvoicePaper

    payment_id = InvoiceRequest.objects.filter(pk=request_id).values_list("payment_id", flat=True).first()
    if payment_id is None:
        return None
    # Before the request: credit notes of one payment add up, so they are made one after the other.
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    request = InvoiceRequest.objects.select_for_update(no_key=True).filter(pk=request_id, invoice=None).first()
    if request is None:
        return None
    invoice = _invoice(payment) if request.refund_id is None else _credit_note(request.refund_id)
    invoice.issued_at = now
    paper = InvoicePaper(invoice)
    # The series last: everybody who issues in it waits from here to the commit.
    _number(invoice)
    invoice.content_sha256 = hash_of_content(invoice)
    keep_document(invoice, paper.pdf())
    request.invoice = invoice
    request.work_is_done()
    request.save(update_fields=["invoice", *request.WORK_COLUMNS])
    signals.invoice_issued.send(sender=Invoice, invoice=invoice, now=now)
    return invoice


@unit_of_work
def _put_off(*, request_id: int, reason: str, now: datetime) -> None:
    request = InvoiceRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.invoice_id is None:
        request.work_failed(reason, now=now)
        request.save(update_fields=request.WORK_COLUMNS)


def _invoice(payment: Payment) -> Invoice:
    booking = Booking.objects.select_related("event__organizer", "user").get(pk=payment.booking_id)
    payment.booking = booking
    amounts = amounts_of(payment.amount, booking.tax_rate, payment.currency)
    lines = lines_of_booking(booking, payment.amount)
    return Invoice(
        kind=Invoice.Kind.INVOICE,
        payment=payment,
        booking=booking,
        currency=payment.currency,
        tax_rate=booking.tax_rate,
        lines=with_net(lines, amounts.subtotal, booking.tax_rate, payment.currency),
        seller=seller_of(booking.event.organizer),
        billing=billing_of(booking),
        supply=supply_of(payment),
        **amounts._asdict(),
    )


def _credit_note(refund_id: int) -> Invoice:
    """Return the correction of an invoice by what went back. The caller holds the lock of its payment."""
    refund = Refund.objects.select_related("payment__booking__event").get(pk=refund_id)
    original = Invoice.objects.filter(payment_id=refund.payment_id, kind=Invoice.Kind.INVOICE).first()
    if original is None:
        raise InvoiceNotReadyError("The invoice has to be issued first.")
    booking = refund.payment.booking
    tax_rate = booking.tax_rate if original.tax_rate is None else original.tax_rate
    before = Invoice.objects.filter(corrects=original).aggregate(total=Sum("total"))["total"] or money.ZERO
    amounts = amounts_given_back(refund.amount, -before, tax_rate, original.currency)
    return Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        payment_id=refund.payment_id,
        refund=refund,
        booking=booking,
        corrects=original,
        currency=original.currency,
        tax_rate=tax_rate,
        lines=with_net([line_given_back(original, refund)], amounts.subtotal, tax_rate, original.currency),
        seller=original.seller,
        billing=original.billing,
        supply=supply_of(refund.payment, refund, original),
        **amounts._asdict(),
    )


def _number(invoice: Invoice) -> None:
    """Draw the next number of the organizer's series. Its row stays locked until the commit: no gap, no duplicate."""
    organizer_id = invoice.booking.event.organizer_id
    series = (
        InvoiceSeries.objects.select_for_update(no_key=True)
        .filter(organizer_id=organizer_id, kind=invoice.kind)
        .first()
    )
    if series is None:
        series = _first_series(organizer_id, invoice.kind)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    invoice.series = series
    invoice.sequence = series.last_number
    letters = "CN" if invoice.kind == Invoice.Kind.CREDIT_NOTE else "INV"
    invoice.number = f"{series.prefix}-{letters}-{series.last_number:06d}"


def _first_series(organizer_id: int, kind: str) -> InvoiceSeries:
    own = f"EH{organizer_id}"
    profile = OrganizerProfile.objects.filter(user_id=organizer_id).first()
    prefix = profile.invoice_prefix if profile else own
    # A series keeps its prefix when its organizer takes another one, which somebody else may then take.
    if InvoiceSeries.objects.exclude(organizer_id=organizer_id).filter(prefix=prefix, kind=kind).exists():
        prefix = own
    try:
        with transaction.atomic():
            InvoiceSeries.objects.create(organizer_id=organizer_id, kind=kind, prefix=prefix)
    except IntegrityError:
        pass  # another worker made it in the same moment
    return InvoiceSeries.objects.select_for_update(no_key=True).get(organizer_id=organizer_id, kind=kind)
