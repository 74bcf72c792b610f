"""What must be true of money."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Round

from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.integrity import CHUNK, Check, added_up, moment, wrong
from events.models import Event
from payments.models import (
    GatewayCallback,
    Invoice,
    InvoiceDocument,
    InvoiceRequest,
    InvoiceSeries,
    MockGatewayEntry,
    Payment,
    Refund,
)
from payments.services.invoice_content import hash_of_content

ZERO = Value(Decimal(0))
# A charge that the gateway decided late reaches us by a callback, or by the next time we ask.
TOLD_WITHIN = timedelta(minutes=15)

# --- What is kept, and what went back ---------------------------------------------------------------------------------


def money_kept_is_what_is_due() -> Iterator[tuple[str, str]]:
    bookings = Booking.objects.annotate(kept=_kept())
    # Money for a cancelled event waits until its bookings are closed, soon.
    closing = Q(status=Booking.Status.PENDING, event__status=Event.Status.CANCELLED)
    settled = ~Q(status=Booking.Status.PENDING) & ~Q(kept=F("amount_due"))
    unsettled = Q(status=Booking.Status.PENDING) & ~closing & ~Q(kept=Decimal(0))
    for booking in wrong(bookings, settled | unsettled):
        kept = money.as_text(booking.kept, booking.currency)
        yield f"booking {booking}", f"is {booking.status} and owes {booking.amount_due}, but {kept} is kept"


def _kept(booking: str = "pk") -> Any:
    """Return what is left of a booking's payments after all that went back or is on its way."""
    paid = Payment.objects.taken().filter(booking=OuterRef(booking))
    back = Refund.objects.counting().filter(payment__booking=OuterRef(booking), payment__status__in=Payment.TAKEN)
    return added_up(_sum(paid, "booking") - _sum(back, "payment__booking"))


def _sum(rows: QuerySet[Any], group: str, what: str = "amount") -> Round:
    """Return the sum over the rows of one group, which the caller has chosen with an ``OuterRef``."""
    grouped = rows.order_by().values(group).annotate(sum=Sum(what))
    return added_up(Coalesce(Subquery(grouped.values("sum")), ZERO))


def _exactly(amount: Decimal) -> str:
    """Return an amount as it stands there, rounded to nothing: sums of databases come with any number of zeros."""
    return f"{amount.normalize():f}"


def refunds_within_payments() -> Iterator[tuple[str, str]]:
    promised = _sum(Refund.objects.counting().filter(payment=OuterRef("pk")), "payment")
    for payment in wrong(Payment.objects.annotate(promised=promised), Q(promised__gt=F("amount"))):
        yield f"payment {payment}", f"refunds of {_exactly(payment.promised)} were promised"
    for refund in wrong(Refund.objects.counting().exclude(payment__status__in=Payment.TAKEN)):
        yield f"refund {refund}", "gives back what never came in"


def refunded_amounts_are_the_refunds() -> Iterator[tuple[str, str]]:
    completed = Refund.objects.filter(payment=OuterRef("pk"), status=Refund.Status.COMPLETED)
    payments = Payment.objects.annotate(returned=_sum(completed, "payment"))
    for payment in wrong(payments, ~Q(returned=F("refunded_amount"))):
        says, refunds_say = _exactly(payment.refunded_amount), _exactly(payment.returned)
        yield f"payment {payment}", f"says {says} went back, its refunds say {refunds_say}"
    status, whole, none = Payment.Status, Q(refunded_amount=F("amount")), Q(refunded_amount=0)
    torn = Q(status=status.REFUNDED) & ~whole | Q(status=status.PARTIALLY_REFUNDED) & (whole | none)
    torn |= ~Q(status__in=[status.REFUNDED, status.PARTIALLY_REFUNDED]) & ~none
    for payment in wrong(Payment.objects.all(), torn):
        yield f"payment {payment}", f"is {payment.status}, and {_exactly(payment.refunded_amount)} of it went back"


def one_open_payment_each() -> Iterator[tuple[str, str]]:
    open_ones = Payment.objects.filter(status__in=Payment.OPEN).order_by().values("booking")
    for row in open_ones.annotate(times=Count("pk")).filter(times__gt=1).order_by("booking"):
        yield f"booking {row['booking']}", f"has {row['times']} open payments"


def states_and_moments_agree() -> Iterator[tuple[str, str]]:
    taken = Q(status__in=Payment.TAKEN)
    for payment in wrong(Payment.objects.all(), taken & Q(completed_at=None) | ~taken & Q(completed_at__isnull=False)):
        yield f"payment {payment}", f"is {payment.status}; completed at: {payment.completed_at or 'never'}"
    for payment in wrong(Payment.objects.all(), ~Q(status__in=Payment.OPEN) & ~(Q(token="") & Q(next_action_url=""))):
        yield f"payment {payment}", f"is {payment.status}, and still holds a token or a page to go to"
    completed = Q(status=Refund.Status.COMPLETED)
    torn = completed & Q(completed_at=None) | ~completed & (Q(completed_at__isnull=False) | ~Q(by_hand_note=""))
    for refund in wrong(Refund.objects.all(), torn):
        yield f"refund {refund}", f"is {refund.status}; completed at: {refund.completed_at or 'never'}"
    processed = Q(processed_at__isnull=False)
    torn = processed & (Q(result="") | Q(next_attempt_at__isnull=False)) | ~processed & ~Q(result="")
    for callback in wrong(GatewayCallback.objects.all(), torn):
        yield f"callback {callback}", f"came to “{callback.result}”; processed at: {callback.processed_at or 'never'}"


def payments_are_in_their_bookings_currency() -> Iterator[tuple[str, str]]:
    strays = Payment.objects.exclude(failure_code=Payment.WRONG_AMOUNT).select_related("booking")
    for payment in wrong(strays, ~Q(currency=F("booking__currency"))):
        yield f"payment {payment}", f"is for a booking in {payment.booking.currency}"
    # What came in for a booking is what was asked: the whole price, or less after some was given back.
    for payment in wrong(strays, Q(amount__gt=F("booking__total_amount"))):
        yield f"payment {payment}", f"is for a booking that costs {payment.booking.total_amount}"


# --- Invoices ---------------------------------------------------------------------------------------------------------


def every_completed_payment_has_its_invoice() -> Iterator[tuple[str, str]]:
    """Money that was returned at once, whole, gets none; nor does what is to return and failed to, so that too much is
    kept for the booking.
    """
    owed = InvoiceRequest.objects.filter(kind=Invoice.Kind.INVOICE, payment=OuterRef("pk"))
    back = _sum(Refund.objects.counting().filter(payment=OuterRef("pk")), "payment")
    kept = Payment.objects.taken().exclude(booking__status=Booking.Status.PENDING).annotate(back=back)
    kept = kept.annotate(of_booking=_kept("booking")).filter(of_booking__lte=F("booking__amount_due"))
    for payment in wrong(kept.filter(~Exists(owed)), Q(back__lt=F("amount"))):
        yield f"payment {payment}", "is completed, and no invoice is owed or issued"
    invoiced = InvoiceRequest.objects.filter(kind=Invoice.Kind.INVOICE, payment=OuterRef("payment"))
    noted = InvoiceRequest.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, refund=OuterRef("pk"))
    returned = Refund.objects.filter(Exists(invoiced), ~Exists(noted), status=Refund.Status.COMPLETED)
    for refund in wrong(returned):
        yield f"refund {refund}", "is completed, and no credit note is owed or issued"


def invoices_are_what_was_asked_for() -> Iterator[tuple[str, str]]:
    asked = InvoiceRequest.objects.filter(invoice=OuterRef("pk"))
    for invoice in wrong(Invoice.objects.filter(~Exists(asked))):
        yield f"invoice {invoice}", "was owed by nobody"
    same = Q(invoice__kind=F("kind"), invoice__payment=F("payment"))
    same &= Q(invoice__refund=F("refund")) | Q(invoice__refund=None, refund=None)
    for request in wrong(InvoiceRequest.objects.filter(invoice__isnull=False), ~same):
        yield f"invoice request {request}", f"led to invoice {request.invoice_id}, which is of something else"
    paid = Q(total=F("payment__amount"), currency=F("payment__currency"), booking=F("payment__booking"))
    paid &= Q(payment__status__in=Payment.TAKEN)
    for invoice in wrong(Invoice.objects.filter(kind=Invoice.Kind.INVOICE), ~paid):
        yield f"invoice {invoice}", f"of {invoice.total} {invoice.currency} is not what its payment is"
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE)
    original = Q(corrects__payment=F("payment"), refund__payment=F("payment"), currency=F("corrects__currency"))
    original &= Q(refund__status=Refund.Status.COMPLETED)
    for note in wrong(notes, ~(original & Q(corrects__kind=Invoice.Kind.INVOICE, total=-F("refund__amount")))):
        yield f"credit note {note}", f"of {note.total} {note.currency} is not what its refund is"


def invoice_numbers_have_no_gaps() -> Iterator[tuple[str, str]]:
    for series in InvoiceSeries.objects.order_by("pk").iterator(chunk_size=CHUNK):
        found = Invoice.objects.filter(series=series).aggregate(
            count=Count("pk"), first=Min("sequence"), last=Max("sequence")
        )
        if not found["count"] == (found["last"] or 0) == series.last_number or (found["count"] and found["first"] != 1):
            yield f"series {series}", f"counted to {series.last_number}, holds {found}"
        for invoice in wrong(Invoice.objects.filter(series=series), ~Q(kind=series.kind)):
            yield f"invoice {invoice}", f"is of kind {invoice.kind}, and stands in series {series}"
    numbers = Invoice.objects.order_by("number").values_list("number").annotate(times=Count("pk"))
    for number, times in numbers.filter(times__gt=1).iterator(chunk_size=CHUNK):
        yield f"invoice number {number}", f"was given {times} times"
    strays = Invoice.objects.exclude(series__organizer=F("booking__event__organizer"))
    for invoice in wrong(strays):
        yield f"invoice {invoice}", "stands in the series of another organizer than its event's"


def invoices_add_up() -> Iterator[tuple[str, str]]:
    for invoice in wrong(Invoice.objects.all(), ~Q(total=added_up(F("subtotal") + F("tax")))):
        yield f"invoice {invoice}", "subtotal and tax do not make the total"
    for invoice in Invoice.objects.order_by("pk").defer("seller", "billing", "supply").iterator(chunk_size=CHUNK):
        lines = sum((Decimal(line["total"]) for line in invoice.lines), money.ZERO)
        if lines != invoice.total:
            yield f"invoice {invoice}", f"its lines make {lines}, its total is {invoice.total}"


def credit_notes_within_invoices() -> Iterator[tuple[str, str]]:
    """Compare what all credit notes of an invoice take back with it: never more, and its tax to the cent."""
    notes = Invoice.objects.filter(corrects=OuterRef("pk"))
    invoices = Invoice.objects.filter(kind=Invoice.Kind.INVOICE).annotate(
        credited=_sum(notes, "corrects", "total"), untaxed=_sum(notes, "corrects", "tax")
    )
    for invoice in wrong(invoices, Q(credited__lt=-F("total"))):
        total, credited = _exactly(invoice.total), _exactly(invoice.credited)
        yield f"invoice {invoice}", f"is of {total}; its credit notes are of {credited}"
    for invoice in wrong(invoices, Q(credited=-F("total")) & ~Q(untaxed=-F("tax"))):
        tax, untaxed = _exactly(invoice.tax), _exactly(invoice.untaxed)
        yield f"invoice {invoice}", f"its tax is {tax}; that of its credit notes {untaxed}"


def invoices_are_as_they_were_issued() -> Iterator[tuple[str, str]]:
    """Make the hashes again that were made when the invoices were issued. Older ones get theirs with their document."""
    for invoice in Invoice.objects.exclude(content_sha256="").order_by("pk").iterator(chunk_size=CHUNK):
        if hash_of_content(invoice) != invoice.content_sha256:
            yield f"invoice {invoice}", "does not say any more what it said when it was issued"
    there = InvoiceDocument.objects.filter(invoice=OuterRef("pk"))
    for invoice in wrong(Invoice.objects.exclude(pdf_sha256="").filter(~Exists(there))):
        yield f"invoice {invoice}", "has lost its PDF"
    for invoice in wrong(Invoice.objects.filter(content_sha256="").filter(~Q(pdf_sha256="") | Exists(there))):
        yield f"invoice {invoice}", "has lost the hash of its content"
    # Some at a time: a document has about 30 KB.
    for document in InvoiceDocument.objects.select_related("invoice").order_by("pk").iterator(chunk_size=50):
        if hashlib.sha256(document.content).hexdigest() != document.invoice.pdf_sha256:
            yield f"invoice {document.invoice}", "its PDF is not the one that was issued"


# --- The gateway ------------------------------------------------------------------------------------------------------


def the_mock_ledger_agrees() -> Iterator[tuple[str, str]]:
    """Compare our rows with the mock gateway's own books, both ways."""
    yield from _payments_beside_the_ledger()
    yield from _refunds_beside_the_ledger()
    charges = MockGatewayEntry.objects.filter(kind=MockGatewayEntry.Kind.CHARGE)
    ours = Payment.objects.filter(gateway="mock", gateway_key=OuterRef("key"))
    for entry in wrong(charges.filter(~Exists(ours))):
        yield f"gateway entry {entry}", f"is a charge of {entry.amount} {entry.currency} that no payment is of"
    back = MockGatewayEntry.objects.filter(
        kind=MockGatewayEntry.Kind.REFUND, succeeded=True, charge_reference=OuterRef("reference")
    )
    given = charges.filter(succeeded=True).annotate(back=_sum(back, "charge_reference"))
    for entry in wrong(given, Q(back__gt=F("amount"))):
        yield f"gateway entry {entry}", f"took {_exactly(entry.amount)} and gave {_exactly(entry.back)} back"


def _entry(kind: str, key: str, column: str) -> Subquery:
    return Subquery(MockGatewayEntry.objects.filter(kind=kind, key=OuterRef(key)).values(column)[:1])


def _payments_beside_the_ledger() -> Iterator[tuple[str, str]]:
    """Leave out what is open, and what the gateway may have decided a moment ago: we are to be told yet."""
    charge, columns = MockGatewayEntry.Kind.CHARGE, ("succeeded", "amount", "currency", "created_at", "settles_at")
    known = {f"its_{column}": _entry(charge, "gateway_key", column) for column in columns}
    payments = Payment.objects.filter(gateway="mock").annotate(**known)
    for payment in wrong(payments.taken(), ~Q(its_succeeded=True) | Q(its_succeeded=None)):
        yield f"payment {payment}", f"is {payment.status}, but the gateway took no money"
    same = Q(its_amount=F("amount"), its_currency=F("currency"))
    for payment in wrong(payments.taken(), Q(its_succeeded=True) & ~same):
        yield f"payment {payment}", f"the gateway took {payment.its_amount} {payment.its_currency}"
    late = moment() - TOLD_WITHIN
    told = Q(its_created_at__lt=late) & (Q(its_settles_at=None) | Q(its_settles_at__lt=late))
    lost = Q(status=Payment.Status.CANCELLED) | Q(status=Payment.Status.FAILED) & told
    for payment in wrong(payments, Q(its_succeeded=True) & lost):
        yield f"payment {payment}", f"is {payment.status}, but the gateway took money"
    ended = [Payment.Status.CANCELLED, Payment.Status.FAILED]
    for payment in wrong(payments.filter(status__in=ended), Q(its_created_at__isnull=False, its_succeeded=None)):
        yield f"payment {payment}", f"is {payment.status}, but the gateway has not decided"


def _refunds_beside_the_ledger() -> Iterator[tuple[str, str]]:
    refund = MockGatewayEntry.Kind.REFUND
    columns = ("succeeded", "amount", "charge_reference")
    known = {f"its_{column}": _entry(refund, "gateway_key", column) for column in columns}
    refunds = Refund.objects.filter(payment__gateway="mock").annotate(**known)
    completed = refunds.filter(status=Refund.Status.COMPLETED, by_hand_note="")
    matches = Q(its_succeeded=True, its_amount=F("amount"), its_charge_reference=F("payment__gateway_reference"))
    for row in wrong(completed, ~matches | Q(its_succeeded=None)):
        yield f"refund {row}", "is completed, but the gateway gave something else back"
    for row in wrong(refunds.exclude(by_hand_note=""), Q(its_succeeded=True)):
        yield f"refund {row}", "was given back past the gateway, and by the gateway too"
    for row in wrong(refunds.filter(status=Refund.Status.FAILED), Q(its_succeeded=True)):
        yield f"refund {row}", "has failed, but the gateway gave the money back"
    entries = MockGatewayEntry.objects.filter(kind=refund, succeeded=True)
    for entry in wrong(entries.filter(~Exists(Refund.objects.filter(gateway_key=OuterRef("key"))))):
        yield f"gateway entry {entry}", f"gave {entry.amount} {entry.currency} back that no refund of ours is of"


# --- Work -------------------------------------------------------------------------------------------------------------

OWED: list[tuple[type[Any], Q]] = [
    (Payment, Q(status__in=Payment.OPEN)),
    (Refund, Q(status__in=[Refund.Status.REQUESTED, Refund.Status.PROCESSING])),
    (InvoiceRequest, Q(invoice=None)),
    (GatewayCallback, Q(processed_at=None)),
]


def nothing_is_parked() -> Iterator[tuple[str, str]]:
    for model, _owed in OWED:
        for row in wrong(model._base_manager.filter(parked_at__isnull=False)):
            yield f"{model._meta.verbose_name} {row}", f"was given up: {row.last_error}"


def what_is_owed_is_found() -> Iterator[tuple[str, str]]:
    """Look for open rows that no sweep will take, and for closed ones that one would."""
    for model, owed in OWED:
        lost = owed & Q(next_attempt_at=None, parked_at=None, claimed_until=None)
        if model is Payment:  # at the gateway it may take any time; its time-out finds it by its booking
            lost &= Q(status=Payment.Status.PENDING)
        if model is Refund:
            lost &= ~Q(payment__gateway=Payment.BY_HAND)  # a person gives it back, and says so
        for row in wrong(model._base_manager.filter(lost)):
            yield f"{model._meta.verbose_name} {row}", "is open, but no sweep will find it"
        for row in wrong(model._base_manager.filter(~owed, next_attempt_at__isnull=False, parked_at=None)):
            yield f"{model._meta.verbose_name} {row}", f"is closed, and owed for {row.next_attempt_at}"


CHECKS = [
    Check(
        "money_kept",
        "What was paid minus what went back is what is due.",
        money_kept_is_what_is_due,
        "Too much is kept after a refund that failed: try it again, or give it back by hand and mark it as paid. Else"
        " compare the history of the booking with those of its payments and refunds.",
    ),
    Check(
        "refunds_within_payments",
        "Refunds never exceed their payment.",
        refunds_within_payments,
        "Stop the refund that is too many before it is sent, or ask the person for the money.",
    ),
    Check(
        "refunded_amounts",
        "A payment's state and amount given back follow from its refunds.",
        refunded_amounts_are_the_refunds,
        "The refunds are right, and so is the gateway. Set the payment to them.",
    ),
    Check(
        "one_open_payment",
        "One open payment per booking.",
        one_open_payment_each,
        "Let both end; what was paid twice goes back by itself. Then see how the constraint came to be missing.",
    ),
    Check(
        "payment_moments",
        "States and moments of payments, refunds and callbacks agree, and tokens are forgotten once used.",
        states_and_moments_agree,
        "The history of the row says when it moved.",
    ),
    Check(
        "payment_currency",
        "What is paid for a booking is in its currency, and no more than it costs.",
        payments_are_in_their_bookings_currency,
        "Ask the gateway what came in. A wrong amount is to go back whole.",
    ),
    Check(
        "invoice_per_payment",
        "Each completed payment has one invoice, each completed refund of it one credit note.",
        every_completed_payment_has_its_invoice,
        "Owe it again with payments.services.request_invoice; numbers are drawn when it is issued.",
    ),
    Check(
        "invoice_subjects",
        "Invoices and credit notes are of the payment, refund and booking that they were asked for, to the cent.",
        invoices_are_what_was_asked_for,
        "Never change an invoice. Correct it with a credit note, and issue another.",
    ),
    Check(
        "invoice_numbers",
        "Invoice numbers have neither gaps nor duplicates.",
        invoice_numbers_have_no_gaps,
        "Look for the missing numbers in a backup; tell whoever keeps the organizer's books.",
    ),
    Check(
        "invoice_totals",
        "An invoice's lines, and its subtotal and tax, make its total.",
        invoices_add_up,
        "Never change an invoice. Correct it with a credit note, and issue another.",
    ),
    Check(
        "credit_notes",
        "Credit notes take back no more than their invoice, and all of its tax with all of it.",
        credit_notes_within_invoices,
        "Tell whoever keeps the organizer's books.",
    ),
    Check(
        "invoice_hashes",
        "Content and PDF of an invoice are, byte for byte, as they were issued.",
        invoices_are_as_they_were_issued,
        "Restore the row and its document from a backup, and find out who wrote past the triggers.",
    ),
    Check(
        "gateway_ledger",
        "The gateway's ledger equals the payments and refunds.",
        the_mock_ledger_agrees,
        "The gateway is right. See which callbacks and attempts there were, and record what it says.",
    ),
    Check(
        "work_parked",
        "No payment, refund, invoice or callback was given up.",
        nothing_is_parked,
        "See why in the back office, then try it again there.",
    ),
    Check(
        "work_found",
        "What is owed will be found by a sweep, and what is not, is not.",
        what_is_owed_is_found,
        "Set next_attempt_at of what is open, so that the sweep takes it.",
    ),
]
