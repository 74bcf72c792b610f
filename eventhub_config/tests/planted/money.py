"""What is planted among payments, refunds, invoices and in the gateway's books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import F

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.planted.planting import Steps, change, copy, lift, lift_unique, planted, unguard
from eventhub_config.tests.planted.sound import a_callback, declined, moment_before, paid, part_refunded
from eventhub_config.tests.world import World, issue_all, pay
from payments.models import (
    Invoice,
    InvoiceDocument,
    InvoiceRequest,
    InvoiceSeries,
    MockGatewayEntry,
    Payment,
    Refund,
)
from payments.services import send_refund


@planted("money_kept", "money_of_booking", "money_of_event", "money_of_rows")
def a_confirmed_booking_that_owes_less_than_was_paid(world: World) -> Steps:
    yield
    change(world.objects["booking"], amount_due=F("amount_due") - Decimal("0.01"))


@planted("money_kept", "money_of_pending")
def money_for_a_booking_that_is_still_pending(world: World) -> Steps:
    payment = paid(world)
    yield
    booking = Booking.objects.get(pk=payment.booking_id)
    change(booking, status="pending", confirmed_at=None, expires_at=world.now + timedelta(hours=1))
    moves = StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk)
    moves.filter(to_status="confirmed").delete()


@planted(
    "refunds_within_payments",
    *("refunded_more_than_paid", "money_of_booking", "money_of_event", "money_of_rows", "stuck_refund"),
    also=["money_kept"],
)
def refunds_beyond_their_payment(world: World) -> Steps:
    payment = world.objects["payment"]
    yield
    change(world.objects["booking"], amount_due=Decimal(0), waiver_reason="Goodwill")
    for amount in (Decimal(25), Decimal(1)):
        refund = Refund.objects.create(
            payment=payment, amount=amount, status_changed_at=world.now, created_at=world.now, next_attempt_at=world.now
        )
        refund.record_creation(actor=world.people["admin"], at=world.now)


@planted("refunds_within_payments", "stuck_refund")
def a_refund_of_what_never_came_in(world: World) -> Steps:
    payment = declined(world)
    yield
    refund = Refund.objects.create(
        payment=payment, amount=1, status_changed_at=world.now, created_at=world.now, next_attempt_at=world.now
    )
    refund.record_creation(actor=world.people["admin"], at=world.now)


@planted("money_kept", "money_of_booking", "money_of_rows", "kept_two_charges", also=["invoice_subjects"])
def two_payments_that_one_booking_keeps(world: World) -> Steps:
    """One paid for another booking of the same event: in the sum nothing is wrong."""
    one, other = (pay(a_booking(event=world.objects["event"], now=world.now)) for _ in range(2))
    issue_all(world.now)
    yield
    change(other, booking=one.booking)


@planted("refunded_amounts", "refunded_amount")
def a_payment_that_says_more_went_back(world: World) -> Steps:
    payment = part_refunded(world).payment
    yield
    change(payment, refunded_amount=F("refunded_amount") + 1)


@planted("refunded_amounts")
def a_refunded_payment_that_says_completed(world: World) -> Steps:
    payment = part_refunded(world).payment
    yield
    change(payment, status="completed")
    StatusChange.objects.filter(
        subject_type="payments.payment", subject_id=payment.pk, to_status="partially_refunded"
    ).delete()


@planted("one_open_payment", "two_open_payments", "stuck_payment")
def two_tabs_that_pay_at_once(world: World) -> Steps:
    yield
    lift(Payment, "payments_one_open_per_booking")
    booking = world.objects["unpaid_booking"]
    for _ in range(2):
        payment = Payment.objects.create(
            booking=booking,
            amount=booking.amount_due,
            currency=booking.currency,
            gateway="mock",
            status_changed_at=world.now,
            created_at=world.now,
            next_attempt_at=world.now,
        )
        payment.record_creation(actor=booking.user, at=world.now)


@planted("payment_moments")
def a_payment_completed_at_no_time(world: World) -> Steps:
    yield
    change(world.objects["payment"], completed_at=None)


@planted("payment_moments")
def a_token_that_is_not_forgotten(world: World) -> Steps:
    yield
    change(world.objects["payment"], token="tok_success")


@planted("payment_moments")
def a_callback_processed_to_no_end(world: World) -> Steps:
    callback = a_callback(world, processed_at=world.now, result="no_change")
    yield
    change(callback, result="")


@planted("payment_currency")
def a_booking_paid_in_another_currency(world: World) -> Steps:
    """Everything that hangs on the payment says the same; only the booking does not."""
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    yield
    change(payment, currency="USD")
    MockGatewayEntry.objects.filter(key=payment.gateway_key).update(currency="USD")


@planted("invoice_per_payment", "invoice_missing", "stuck_message")
def a_payment_that_nobody_invoices(world: World) -> Steps:
    yield
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    InvoiceRequest.objects.filter(payment=payment).delete()


@planted("invoice_per_payment", "credit_note_missing", "stuck_message")
def a_refund_without_its_credit_note(world: World) -> Steps:
    payment = paid(world)
    yield
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    refund = Refund.objects.get(payment=payment)
    send_refund(refund_id=refund.pk, now=world.now)
    InvoiceRequest.objects.filter(refund=refund).delete()


@planted("invoice_subjects")
def an_invoice_for_another_booking(world: World) -> Steps:
    payment = paid(world)
    Invoice.objects.get(payment=payment)
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=payment)
    invoice.booking_id = world.pk("unpaid_booking")
    _issue_anew(invoice)


@planted("invoice_numbers", "invoice_gaps")
def a_number_that_is_missing(world: World) -> Steps:
    yield
    InvoiceSeries.objects.filter(kind="invoice").update(last_number=F("last_number") + 1)


@planted("invoice_numbers", "invoice_gaps")
def a_number_in_the_middle_that_is_missing(world: World) -> Steps:
    first = Invoice.objects.get(payment=world.objects["payment"])
    paid(world)
    yield
    unguard(Invoice)
    unguard(InvoiceDocument)
    first.sequence, first.number = 99, "EH-INV-000099"
    _issue_anew(first)


@planted("invoice_numbers", "invoice_number_twice", needs_postgresql=True)
def a_number_that_two_invoices_have(world: World) -> Steps:
    payment = paid(world)
    yield
    unguard(Invoice)
    lift_unique(Invoice, "number")
    invoice = Invoice.objects.get(payment=payment)
    invoice.number = Invoice.objects.get(payment=world.objects["payment"]).number
    _issue_anew(invoice)


@planted("invoice_subjects", "invoice_of_payment_twice", also=["messages_told"])
def a_payment_that_has_two_invoices(world: World) -> Steps:
    yield
    lift(Invoice, "payments_one_invoice_per_payment")
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    InvoiceSeries.objects.filter(pk=invoice.series_id).update(last_number=F("last_number") + 1)
    last = InvoiceSeries.objects.get(pk=invoice.series_id).last_number
    copy(invoice, sequence=last, number=f"TWICE-{last}", content_sha256="", pdf_sha256="")


@planted("invoice_totals")
def lines_that_do_not_make_the_total(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    invoice.lines[0]["total"] = "24.99"
    _issue_anew(invoice)


@planted("invoice_totals")
def tax_that_is_too_much(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    invoice.tax += 1
    _issue_anew(invoice)


@planted("credit_notes")
def credit_notes_that_keep_a_cent_of_tax(world: World) -> Steps:
    """All went back, and not all of the tax."""
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", tax_rate=19, now=world.now))
    issue_all(world.now)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    send_refund(refund_id=Refund.objects.get(payment=payment).pk, now=world.now)
    issue_all(world.now)
    yield
    unguard(Invoice)
    note = Invoice.objects.get(payment=payment, kind="credit_note")
    note.tax, note.subtotal = note.tax + Decimal("0.01"), note.subtotal - Decimal("0.01")
    _issue_anew(note)


@planted("credit_notes", "credited_more_than_invoiced", also=["invoice_subjects"])
def a_credit_note_of_more_than_its_invoice(world: World) -> Steps:
    yield
    unguard(Invoice)
    note = Invoice.objects.get(refund=world.objects["refund"])
    note.total, note.subtotal, note.tax = 2 * note.total, 2 * note.subtotal, 2 * note.tax
    note.lines[0]["total"] = str(note.total)
    _issue_anew(note)


@planted("invoice_hashes")
def an_invoice_that_says_something_else(world: World) -> Steps:
    yield
    unguard(Invoice)
    change(Invoice.objects.get(payment=world.objects["payment"]), billing={"name": "Somebody else"})


@planted("invoice_hashes")
def an_invoice_that_says_something_else_and_has_no_hash(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    change(invoice, billing={"name": "Somebody else"}, content_sha256="")


@planted("invoice_hashes")
def a_pdf_with_another_byte(world: World) -> Steps:
    document = InvoiceDocument.objects.get(invoice__payment=world.objects["payment"])
    yield
    unguard(InvoiceDocument)
    change(document, content=bytes(document.content)[:-1] + b"\0")


@planted("invoice_hashes")
def a_pdf_that_is_gone(world: World) -> Steps:
    yield
    unguard(InvoiceDocument)
    documents = InvoiceDocument._base_manager.filter(invoice__payment=world.objects["payment"])
    documents._raw_delete(documents.db)


def _issue_anew(invoice: Invoice) -> None:
    """Write an invoice past its guards with a hash that fits: whoever forges one may know how."""
    from payments.services.invoice_content import hash_of_content

    invoice.content_sha256 = hash_of_content(invoice)
    names = [field.attname for field in invoice._meta.concrete_fields if not field.primary_key]
    change(invoice, **{name: getattr(invoice, name) for name in names})


@planted("gateway_ledger", "charge_of_nobody")
def a_charge_of_nobody(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.create(
        kind="charge",
        key="nobody",
        reference="mock_ch_nobody",
        amount=1,
        currency="EUR",
        succeeded=True,
        created_at=world.now,
    )


@planted("gateway_ledger", "payment_never_taken", "money_of_booking", "money_of_event", "charge_of_nobody")
def a_payment_that_the_gateway_never_took(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["payment"].gateway_key).update(key="other")


@planted("gateway_ledger", "payment_never_taken", "money_of_booking", "money_of_event")
def a_payment_of_another_amount_than_the_charge(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["payment"].gateway_key).update(amount=Decimal("24.99"))


@planted("gateway_ledger", "charge_not_recorded", "money_of_booking", "money_of_event")
def a_charge_that_we_think_failed(world: World) -> Steps:
    """A late success that never reached us."""
    payment = declined(world)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    yield
    entries = MockGatewayEntry.objects.filter(key=payment.gateway_key)
    entries.update(succeeded=True, created_at=moment_before(world, hours=1))


@planted("gateway_ledger", "undecided_at_the_gateway")
def a_charge_that_may_yet_succeed_and_that_we_gave_up(world: World) -> Steps:
    payment = declined(world)
    yield
    MockGatewayEntry.objects.filter(key=payment.gateway_key).update(succeeded=None)


@planted("gateway_ledger", "refund_not_recorded", "money_of_booking", "money_of_event")
def a_refund_given_by_the_gateway_and_by_hand(world: World) -> Steps:
    yield
    change(world.objects["refund"], by_hand_note="In cash")


@planted("gateway_ledger", "refund_never_given", "money_of_booking", "money_of_event")
def a_refund_that_the_gateway_never_gave(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["refund"].gateway_key).update(succeeded=False)


@planted("gateway_ledger", "money_of_booking", "money_of_event")
def a_refund_that_the_gateway_took_from_another_charge(world: World) -> Steps:
    other = pay(a_booking(event=world.objects["event"], now=world.now))
    issue_all(world.now)
    yield
    entries = MockGatewayEntry.objects.filter(key=world.objects["refund"].gateway_key)
    entries.update(charge_reference=other.gateway_reference)


@planted("gateway_ledger", "refund_of_nobody", "money_of_booking", "money_of_event")
def a_refund_of_nobody(world: World) -> Steps:
    payment = world.objects["payment"]
    yield
    MockGatewayEntry.objects.create(
        kind="refund",
        key="nobody",
        reference="mock_re_nobody",
        charge_reference=payment.gateway_reference,
        amount=1,
        currency="EUR",
        succeeded=True,
        created_at=world.now,
    )


@planted("gateway_ledger", "gave_back_more_than_taken", "money_of_booking", "money_of_event", "refund_of_nobody")
def a_gateway_that_gave_more_than_it_took(world: World) -> Steps:
    yield
    refund = MockGatewayEntry.objects.get(key=world.objects["refund"].gateway_key)
    copy(refund, key="again", reference="mock_re_again")


@planted("work_parked")
def a_payment_that_was_given_up(world: World) -> Steps:
    yield
    change(world.objects["payment"], parked_at=world.now, last_error="The gateway is away.")


@planted("work_parked", "stuck_callback")
def a_callback_that_was_given_up(world: World) -> Steps:
    yield
    a_callback(world, subject="charge", next_attempt_at=world.now, parked_at=world.now)


@planted("work_found")
def a_refund_that_no_sweep_will_send(world: World) -> Steps:
    """Cancelled by the attendee, and its row of work lost its time."""
    payment = paid(world)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    yield
    Refund.objects.filter(payment=payment).update(next_attempt_at=None)


@planted("work_found", "stuck_invoice", "invoice_missing", "stuck_message")
def an_invoice_that_no_sweep_will_issue(world: World) -> Steps:
    yield
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    InvoiceRequest.objects.filter(payment=payment).update(next_attempt_at=None)


@planted("work_found")
def a_payment_that_is_done_and_owed(world: World) -> Steps:
    yield
    change(world.objects["payment"], next_attempt_at=world.now)
