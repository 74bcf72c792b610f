"""Invoices for tests."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from bookings.models import Booking
from eventhub_config.shared.actors import System
from events.tests.factories import NOW, an_event
from payments.models import Invoice, InvoiceRequest, Payment, Refund
from payments.services import issue_invoice, request_refund, send_refund
from payments.tests.factories import a_paid_booking
from users.models import CustomUser
from users.tests.factories import an_organizer

SELLER = {"legal_name": "Bread & Co. GmbH", "legal_address": "Torstraße 140\n10119 Berlin", "tax_id": "DE123456789"}


def a_seller(**details: str) -> CustomUser:
    """Return an organizer who has what stands on an invoice."""
    seller = an_organizer()
    for name, value in {**SELLER, **details}.items():
        setattr(seller.organizer_profile, name, value)
    seller.organizer_profile.save()
    return seller


def issue_all(now: datetime = NOW) -> None:
    """Issue what is owed, as a worker would."""
    for request_id in InvoiceRequest.objects.filter(invoice=None).order_by("pk").values_list("pk", flat=True):
        issue_invoice(request_id=request_id, now=now)


def an_invoice(
    *, price: str = "25.00", tax_rate: str = "19.00", organizer: CustomUser | None = None, **values: Any
) -> Invoice:
    """Return the invoice of a booking that was paid."""
    of_booking = {name: values.pop(name) for name in ("user", "seats") if name in values}
    event = an_event(organizer=organizer or a_seller(), price=price, tax_rate=Decimal(tax_rate), **values)
    return invoice_of(a_paid_booking(event=event, **of_booking))


def invoice_of(booking: Booking) -> Invoice:
    issue_all()
    return Invoice.objects.get(booking=booking, kind="invoice")


def a_credit_note(invoice: Invoice, amount: str, reason: str = "", now: datetime = NOW) -> Invoice:
    """Give some of an invoice's money back, and return the credit note for it."""
    payment = Payment.objects.get(pk=invoice.payment_id)
    request_refund(payment=payment, amount=Decimal(amount), reason=reason, actor=System("test"), now=now)
    refund = Refund.objects.filter(payment=payment).latest("pk")
    send_refund(refund_id=refund.pk, now=now)
    issue_all(now)
    return Invoice.objects.get(refund=refund)
