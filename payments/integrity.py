"""What must be true of money."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.integrity import Check
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, MockGatewayEntry, Payment, Refund

ZERO = Value(Decimal(0))


def money_kept_is_what_is_due() -> Iterator[tuple[str, str]]:
    paid = Payment.objects.taken().filter(booking=OuterRef("pk")).values("booking").annotate(sum=Sum("amount"))
    back = (
        Refund.objects.counting()
        .filter(payment__booking=OuterRef("pk"), payment__status__in=Payment.TAKEN)
        .values("payment__booking")
        .annotate(sum=Sum("amount"))
    )
    settled = [Booking.Status.CONFIRMED, Booking.Status.NO_SHOW, Booking.Status.CANCELLED, Booking.Status.EXPIRED]
    bookings = (
        Booking.objects.filter(status__in=settled)
        .annotate(kept=Coalesce(Subquery(paid.values("sum")), ZERO) - Coalesce(Subquery(back.values("sum")), ZERO))
        .exclude(kept=F("amount_due"))
    )
    for booking in bookings.order_by("pk"):
        kept = money.as_text(booking.kept, booking.currency)
        yield f"booking {booking}", f"is {booking.status} and owes {booking.amount_due}, but {kept} is kept"


def refunds_within_payments() -> Iterator[tuple[str, str]]:
    sums = Payment.objects.annotate(
        promised=Coalesce(Sum("refunds__amount", filter=~Q(refunds__status=Refund.Status.FAILED)), ZERO),
        returned=Coalesce(Sum("refunds__amount", filter=Q(refunds__status=Refund.Status.COMPLETED)), ZERO),
    )
    for payment in sums.filter(promised__gt=F("amount")).order_by("pk"):
        yield f"payment {payment}", f"refunds of {payment.promised} were promised"
    for payment in sums.exclude(returned=F("refunded_amount")).order_by("pk"):
        yield f"payment {payment}", f"says {payment.refunded_amount} went back, its refunds say {payment.returned}"


def every_completed_payment_has_its_invoice() -> Iterator[tuple[str, str]]:
    """Money that was returned at once, whole, gets none."""
    owed = InvoiceRequest.objects.filter(kind=Invoice.Kind.INVOICE).values("payment")
    kept = Payment.objects.taken().exclude(pk__in=owed).exclude(booking__status=Booking.Status.PENDING)
    for payment in kept.order_by("pk"):
        back = Refund.objects.counting().filter(payment=payment).aggregate(sum=Sum("amount"))["sum"]
        if back != payment.amount:
            yield f"payment {payment}", "is completed, and no invoice is owed or issued"


def invoice_numbers_have_no_gaps() -> Iterator[tuple[str, str]]:
    for series in InvoiceSeries.objects.order_by("pk"):
        found = Invoice.objects.filter(series=series).aggregate(
            count=Count("pk"), first=Min("sequence"), last=Max("sequence")
        )
        if not found["count"] == (found["last"] or 0) == series.last_number or (found["count"] and found["first"] != 1):
            yield f"series {series}", f"counted to {series.last_number}, holds {found}"


def invoices_add_up() -> Iterator[tuple[str, str]]:
    for invoice in Invoice.objects.exclude(total=F("subtotal") + F("tax")).order_by("pk"):
        yield f"invoice {invoice}", "subtotal and tax do not make the total"


def the_mock_ledger_agrees() -> Iterator[tuple[str, str]]:
    entries = {entry.key: entry for entry in MockGatewayEntry.objects.all()}
    for payment in Payment.objects.filter(gateway="mock").exclude(status__in=Payment.OPEN).order_by("pk"):
        entry = entries.get(payment.gateway_key)
        charged = entry is not None and entry.succeeded
        if charged != (payment.status in Payment.TAKEN):
            yield f"payment {payment}", f"is {payment.status}, but the gateway {'took' if charged else 'took no'} money"
        elif entry is not None and charged and (entry.amount, entry.currency) != (payment.amount, payment.currency):
            yield f"payment {payment}", f"the gateway took {entry.amount} {entry.currency}"
    for refund in Refund.objects.filter(payment__gateway="mock", status=Refund.Status.COMPLETED).order_by("pk"):
        entry = entries.get(refund.gateway_key)
        if entry is None or entry.amount != refund.amount:
            yield f"refund {refund}", "is completed, but the gateway gave something else back"


def nothing_is_parked() -> Iterator[tuple[str, str]]:
    for model in (Payment, Refund, InvoiceRequest):
        for row in model._base_manager.filter(parked_at__isnull=False).order_by("pk"):
            yield f"{model._meta.verbose_name} {row}", f"was given up: {row.last_error}"


CHECKS = [
    Check("money_kept", "What was paid minus what went back is what is due.", money_kept_is_what_is_due),
    Check("refunds_within_payments", "Refunds never exceed their payment.", refunds_within_payments),
    Check("invoice_per_payment", "Each completed payment has one invoice.", every_completed_payment_has_its_invoice),
    Check("invoice_numbers", "Invoice numbers have neither gaps nor duplicates.", invoice_numbers_have_no_gaps),
    Check("invoice_totals", "An invoice's total is its subtotal and tax.", invoices_add_up),
    Check("gateway_ledger", "The gateway's ledger equals the payments and refunds.", the_mock_ledger_agrees),
    Check("work_parked", "No payment, refund or invoice was given up.", nothing_is_parked),
]
