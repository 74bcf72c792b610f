"""What an invoice says: copied in when it is issued, so that nothing that changes later changes it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from bookings.models import Booking, Ticket
from eventhub_config.shared import money
from eventhub_config.shared.fields import moment_text
from events.models import Event
from payments.models import Invoice, Payment, Refund
from users.models import CustomUser, OrganizerProfile

Line = dict[str, Any]


class Amounts(NamedTuple):
    """A price that includes tax, and its parts. Negative on credit notes."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def amounts_of(total: Decimal, tax_rate: Decimal, currency: str) -> Amounts:
    """Split a price that includes tax."""
    subtotal = _net(total, tax_rate, currency)
    return Amounts(subtotal, total - subtotal, total)


def amounts_given_back(amount: Decimal, before: Decimal, tax_rate: Decimal, currency: str) -> Amounts:
    """Split what goes back of an invoice of which ``before`` went back already.

    The split is that of everything together less that of what came before. So the tax of many small credit notes is,
    once all went back, the tax of the invoice, and not some cents more or less.
    """
    subtotal = _net(before + amount, tax_rate, currency) - _net(before, tax_rate, currency)
    return Amounts(-subtotal, subtotal - amount, -amount)


def lines_of_booking(booking: Booking, total: Decimal) -> list[Line]:
    """Return what was bought, one line per ticket type and price; together they make ``total``."""
    groups: dict[tuple[str, Decimal], int] = defaultdict(int)
    for ticket in Ticket.objects.filter(booking=booking).select_related("ticket_type").order_by("pk"):
        groups[(ticket.ticket_type.name, ticket.price)] += 1
    title = booking.event.title
    lines = [_line(f"{title}: {name}", price, quantity, booking.currency) for (name, price), quantity in groups.items()]
    missing = total - sum((price * quantity for (_name, price), quantity in groups.items()), money.ZERO)
    if missing:
        lines.append(_line("Price adjustment", missing, 1, booking.currency))
    return lines


def line_given_back(original: Invoice, refund: Refund) -> Line:
    reason = f": {refund.reason}" if refund.reason else ""
    return _line(f"Refund for invoice {original.number}{reason}", -refund.amount, 1, original.currency)


def with_net(lines: Sequence[Line], subtotal: Decimal, tax_rate: Decimal, currency: str) -> list[Line]:
    """Return the lines with what they are without tax; together they make ``subtotal`` to the cent."""
    told: list[Line] = []
    so_far, net_so_far = money.ZERO, money.ZERO
    for number, line in enumerate(lines, 1):
        so_far += Decimal(line["total"])
        up_to_here = subtotal if number == len(lines) else _net(so_far, tax_rate, currency)
        net = up_to_here - net_so_far
        net_so_far = up_to_here
        amounts = {
            "unit_price_net": _unit_net(net, line["quantity"], currency),
            "net": money.as_text(net, currency),
            "tax": money.as_text(Decimal(line["total"]) - net, currency),
        }
        told.append({**line, **amounts})
    return told


def seller_of(organizer: CustomUser) -> dict[str, str]:
    profile = OrganizerProfile.objects.filter(user=organizer).first()
    return {
        "name": (profile.legal_name if profile else "") or organizer.display_name,
        "address": profile.legal_address if profile else "",
        "tax_id": profile.tax_id if profile else "",
    }


def billing_of(booking: Booking) -> dict[str, str]:
    """Return who the invoice is for: what was given with the booking, else the person's name."""
    empty = dict.fromkeys(["name", "company", "address", "postal_code", "city", "country", "tax_id"], "")
    billing = empty | booking.billing
    return billing | {"name": billing["name"] or booking.user.display_name}


def supply_of(payment: Payment, refund: Refund | None = None, original: Invoice | None = None) -> dict[str, Any]:
    """Return what was sold, and how and when it was paid or given back. The booking and its event are read already."""
    booking, event = payment.booking, payment.booking.event
    return {
        "event": event.title,
        "starts_at": moment_text(event.starts_at),
        "ends_at": moment_text(event.ends_at),
        "timezone": event.timezone,
        "place": _place(event),
        "booking_reference": booking.reference,
        "method": payment.method,
        "paid_at": _moment(payment.completed_at),
        "refunded_at": _moment(refund.completed_at) if refund else None,
        "reason": refund.reason if refund else "",
        "corrects_number": original.number if original else "",
        "corrects_issued_at": _moment(original.issued_at) if original else None,
    }


def content_of(invoice: Invoice) -> dict[str, Any]:
    """Return all that an invoice says, as it is kept, in the form in which its hash is made."""
    rate = invoice.tax_rate
    return {
        "number": invoice.number,
        "sequence": invoice.sequence,
        "series": invoice.series_id,
        "kind": invoice.kind,
        "issued_at": moment_text(invoice.issued_at),
        "payment": invoice.payment_id,
        "refund": invoice.refund_id,
        "booking": invoice.booking_id,
        "corrects": invoice.corrects_id,
        "currency": invoice.currency,
        "subtotal": money.as_text(invoice.subtotal, invoice.currency),
        "tax": money.as_text(invoice.tax, invoice.currency),
        "total": money.as_text(invoice.total, invoice.currency),
        "tax_rate": None if rate is None else f"{rate:.2f}",
        "lines": invoice.lines,
        "seller": invoice.seller,
        "billing": invoice.billing,
        "supply": invoice.supply,
    }


def hash_of_content(invoice: Invoice) -> str:
    """Return the SHA-256 of an invoice's content: the same for the same row on every database."""
    canonical = json.dumps(content_of(invoice), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _line(description: str, unit_price: Decimal, quantity: int, currency: str) -> Line:
    return {
        "description": description,
        "quantity": quantity,
        "unit_price": money.as_text(unit_price, currency),
        "total": money.as_text(unit_price * quantity, currency),
    }


def _net(gross: Decimal, tax_rate: Decimal, currency: str) -> Decimal:
    return money.rounded(gross / (1 + tax_rate / 100), currency)


def _unit_net(net: Decimal, quantity: int, currency: str) -> str:
    """Return a unit price without tax; two more decimals than the currency has where it would not make the sum."""
    rounded = money.rounded(net / quantity, currency)
    if rounded * quantity == net:
        return money.as_text(rounded, currency)
    return str((net / quantity).quantize(Decimal(1).scaleb(-money.exponent(currency) - 2)))


def _place(event: Event) -> str:
    city = "" if event.address.endswith(event.city) else event.city
    where = ", ".join(part for part in (event.venue_name, event.address, city) if part)
    if event.format == Event.Format.ONLINE:
        return "Online"
    return f"{where} and online" if where and event.format == Event.Format.HYBRID else where


def _moment(at: datetime | None) -> str | None:
    return moment_text(at) if at else None
