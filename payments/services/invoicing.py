"""Invoices and credit notes: owed as a row, issued by a worker, numbered without gaps."""

import logging
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from eventhub_config.shared.transactions import unit_of_work
from payments import signals
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, Payment, Refund
from users.models import CustomUser, OrganizerProfile

logger = logging.getLogger(__name__)


class InvoiceNotReadyError(Exception):
    """The invoice that a credit note corrects has not been issued yet."""


def request_invoice(*, payment: Payment, now: datetime) -> None:
    """Owe the invoice of a completed payment: one, however often this is called."""
    _request(Invoice.Kind.INVOICE, payment, None, now)


def request_credit_note(*, refund: Refund, now: datetime) -> None:
    """Owe the credit note of a completed refund, if its payment has an invoice or is owed one."""
    if InvoiceRequest.objects.filter(payment_id=refund.payment_id, kind=Invoice.Kind.INVOICE).exists():
        _request(Invoice.Kind.CREDIT_NOTE, refund.payment, refund, now)


def _request(kind: str, payment: Payment, refund: Refund | None, now: datetime) -> None:
    request, made = InvoiceRequest.objects.get_or_create(
        kind=kind,
        payment=payment,
        refund=refund,
        defaults={"created_at": now, "next_attempt_at": now},
    )
    if made:
        signals.invoice_requested.send(sender=InvoiceRequest, request=request, now=now)


def issue_invoice(*, request_id: int, now: datetime) -> None:
    """Issue an invoice that is owed. A failure is recorded on its row and tried again later."""
    try:
        _issue(request_id=request_id, now=now)
    except InvoiceNotReadyError as error:
        _put_off(request_id=request_id, reason=str(error), now=now)
    except Exception as error:
        logger.exception("Invoice request %s failed", request_id)
        _put_off(request_id=request_id, reason=repr(error), now=now)
        raise


@unit_of_work
def _issue(*, request_id: int, now: datetime) -> Invoice | None:
    request = InvoiceRequest.objects.select_for_update(no_key=True).filter(pk=request_id, invoice=None).first()
    if request is None:
        return None
    invoice = _invoice(request) if request.refund_id is None else _credit_note(request.refund_id)
    invoice.issued_at = now
    _number(invoice)
    invoice.save(force_insert=True)
    request.invoice = invoice
    request.work_is_done()
    request.save(update_fields=["invoice", *request.WORK_COLUMNS])
    signals.invoice_issued.send(sender=Invoice, invoice=invoice, now=now)
    return invoice


@unit_of_work
def _put_off(*, request_id: int, reason: str, now: datetime) -> None:
    request = InvoiceRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.invoice_id is None:
        request.attempts += 1
        request.work_failed(reason, now=now)
        request.save(update_fields=request.WORK_COLUMNS)


def _invoice(request: InvoiceRequest) -> Invoice:
    payment = Payment.objects.select_related("booking__event__organizer", "booking__user").get(pk=request.payment_id)
    booking = payment.booking
    return Invoice(
        kind=Invoice.Kind.INVOICE,
        payment=payment,
        booking=booking,
        lines=_lines(booking),
        seller=_seller(booking.event.organizer),
        billing=_billing(booking),
        **_amounts(payment.amount, booking.tax_rate, payment.currency),
    )


def _credit_note(refund_id: int) -> Invoice:
    refund = Refund.objects.select_related("payment__booking__event").get(pk=refund_id)
    original = Invoice.objects.filter(payment_id=refund.payment_id, kind=Invoice.Kind.INVOICE).first()
    if original is None:
        raise InvoiceNotReadyError("The invoice has to be issued first.")
    booking = refund.payment.booking
    line = {
        "description": f"Refund for invoice {original.number}" + (f": {refund.reason}" if refund.reason else ""),
        "quantity": 1,
        "unit_price": money.as_text(-refund.amount, original.currency),
        "total": money.as_text(-refund.amount, original.currency),
    }
    return Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        payment_id=refund.payment_id,
        refund=refund,
        booking=booking,
        corrects=original,
        lines=[line],
        seller=original.seller,
        billing=original.billing,
        **_amounts(-refund.amount, booking.tax_rate, original.currency),
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


def _amounts(total: Decimal, tax_rate: Decimal, currency: str) -> dict[str, Any]:
    """Split a price that includes tax."""
    subtotal = money.rounded(total / (1 + tax_rate / 100), currency)
    return {"currency": currency, "total": total, "subtotal": subtotal, "tax": total - subtotal}


def _lines(booking: Booking) -> list[dict[str, Any]]:
    groups: dict[tuple[str, Decimal], int] = defaultdict(int)
    for ticket in Ticket.objects.filter(booking=booking).select_related("ticket_type").order_by("pk"):
        groups[(ticket.ticket_type.name, ticket.price)] += 1
    title = booking.event.title
    return [
        {
            "description": f"{title}: {name}",
            "quantity": quantity,
            "unit_price": money.as_text(price, booking.currency),
            "total": money.as_text(price * quantity, booking.currency),
        }
        for (name, price), quantity in groups.items()
    ]


def _seller(organizer: CustomUser) -> dict[str, str]:
    profile = OrganizerProfile.objects.filter(user=organizer).first()
    return {
        "name": (profile.legal_name if profile else "") or organizer.display_name,
        "address": profile.legal_address if profile else "",
        "tax_id": profile.tax_id if profile else "",
    }


def _billing(booking: Booking) -> dict[str, str]:
    """Return who the invoice is for: what was given with the booking, else the person's name."""
    empty = dict.fromkeys(["name", "company", "address", "postal_code", "city", "country", "tax_id"], "")
    billing = empty | booking.billing
    return billing | {"name": billing["name"] or booking.user.display_name}
