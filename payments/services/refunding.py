"""Giving money back: never more than was paid, each refund once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.transactions import unit_of_work
from payments import signals
from payments.gateway import GatewayUnavailableError, Outcome, RefundOrder, gateway
from payments.models import Payment, Refund
from payments.models.payments import PaymentQuerySet
from payments.services.invoicing import request_invoice

WORKER = System("send_refund")


class RefundExceedsPayment(DomainError):
    code = "refund_exceeds_payment"
    title = "That is more than is left of this payment."


@unit_of_work
def request_refund(*, payment: Payment, amount: Decimal, reason: str, actor: Actor, now: datetime) -> Refund:
    """Owe a part of a payment back. The caller holds the locks of its booking and of the payment itself.

    :raises RefundExceedsPayment: refunds that count would exceed the payment.
    """
    if amount <= money.ZERO or amount > refundable(payment):
        raise RefundExceedsPayment
    refund = Refund.objects.create(
        payment=payment, amount=amount, reason=reason[:255], status_changed_at=now, created_at=now, next_attempt_at=now
    )
    refund.record_creation(actor=actor, at=now, note=reason)
    signals.refund_requested.send(sender=Refund, refund=refund, now=now)
    return refund


def _failed(payments: Iterable[Payment]) -> QuerySet[Refund]:
    """Return the refunds of these payments that failed and are shown to people."""
    failed = Refund.objects.filter(status=Refund.Status.FAILED, parked_at__isnull=False)
    return failed.filter(payment__in=[payment.pk for payment in payments])


@unit_of_work
def refund_surplus(*, booking: Booking, reason: str, actor: Actor, now: datetime) -> Decimal:
    """Give back what was paid for a booking beyond what is due, the money that came in last first; return how much.

    Refunds that are on their way count, so asking twice gives nothing twice. The caller holds the booking's lock.
    """
    payments = lock_paying(booking)
    # By the moment, not by id: an older payment may be the one that was paid later.
    payments.sort(key=lambda payment: (payment.completed_at or payment.created_at, payment.pk), reverse=True)
    left = {payment.pk: refundable(payment) for payment in payments}
    surplus = sum(left.values(), money.ZERO) - booking.amount_due
    returned = money.ZERO
    for payment in payments:
        amount = min(left[payment.pk], surplus - returned)
        if amount > money.ZERO:
            request_refund(payment=payment, amount=amount, reason=reason, actor=actor, now=now)
            returned += amount
    conclude(booking=booking, payments=payments, actor=actor, now=now)
    return returned


def conclude(*, booking: Booking, payments: Sequence[Payment], actor: Actor, now: datetime) -> None:
    """Follow up on what changed what is kept of a booking's money, or is due for it.

    What is still to go back has one refund that stands for it. Once no more is kept than is due, all that is kept has
    an invoice, also if another payment was to be kept before.

    ``payments``: those of the booking whose money counts (``paying``). The caller holds their locks and the booking's.
    """
    left = sum((refundable(payment) for payment in payments), money.ZERO)
    if not payments or booking.status == Booking.Status.PENDING:  # its event was cancelled: all goes back
        return
    cover(payments=payments, owed=left - booking.amount_due, actor=actor, now=now)
    if left <= booking.amount_due:
        for payment in payments:
            if refundable(payment) > money.ZERO:
                request_invoice(payment=payment, now=now)


def cover(*, payments: Sequence[Payment], owed: Decimal, actor: Actor, now: datetime) -> None:
    """Have what is ``owed`` back of these payments stand in refunds, those that failed and wait for a person included.

    One that failed and is larger than what is left of its money rests: nobody could do anything about it. What it
    leaves uncovered is asked for anew.
    """
    left = {payment.pk: refundable(payment) for payment in payments}
    for refund in _failed(payments).order_by("pk"):
        if refund.amount <= min(owed, left[refund.payment_id]):
            owed -= refund.amount
            left[refund.payment_id] -= refund.amount
        else:
            refund.parked_at = None
            refund.save(update_fields=["parked_at"])
    for payment in payments:
        amount = min(left[payment.pk], owed)
        if amount > money.ZERO:
            request_refund(payment=payment, amount=amount, reason="The rest of a refund.", actor=actor, now=now)
            owed -= amount


def lock_paying(booking: Booking) -> list[Payment]:
    """Lock the payments of a booking whose money counts, and return them as they stand."""
    return list(paying(booking).select_for_update(no_key=True).order_by("pk"))


def paying(booking: Booking) -> PaymentQuerySet:
    """Return the payments of a booking whose money counts. A wrong amount does not: it goes back for itself."""
    return Payment.objects.taken().filter(booking=booking).exclude(failure_code=Payment.WRONG_AMOUNT)


def kept(booking: Booking) -> Decimal:
    """Return what there is of a booking's money once all that goes back has arrived."""
    return sum((refundable(payment) for payment in paying(booking)), money.ZERO)


def refundable(payment: Payment) -> Decimal:
    """Return what is left of a payment after the refunds that went back or are on their way."""
    back = Refund.objects.counting().filter(payment=payment).aggregate(total=Sum("amount"))["total"] or money.ZERO
    return payment.amount - back


def send_refund(*, refund_id: int, now: datetime) -> None:
    """Take a due refund to the gateway and record what came of it.

    May run any number of times, like ``process_payment``.
    """
    refund = _claim(refund_id=refund_id, now=now)
    if refund is None:
        return
    order, desk = order_of_refund(refund), gateway(refund.payment.gateway)
    try:
        known = desk.find_refund(order) if refund.attempts > 1 or refund.gateway_reference else None
        outcome = known or desk.refund(order)
    except GatewayUnavailableError as error:
        _put_off(refund_id=refund_id, reason=str(error), now=now)
    else:
        record_refund(refund_id=refund_id, key=order.key, outcome=outcome, now=now)


def order_of_refund(refund: Refund) -> RefundOrder:
    """Return what the gateway is asked to give back."""
    payment = refund.payment
    return RefundOrder(
        refund.gateway_key, payment.gateway_reference, refund.amount, payment.currency, refund.gateway_reference
    )


@unit_of_work
def _claim(*, refund_id: int, now: datetime) -> Refund | None:
    claimable = [Refund.Status.REQUESTED, Refund.Status.PROCESSING]
    rows = Refund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment")
    refund = rows.filter(pk=refund_id, status__in=claimable).first()
    if refund is None or not refund.is_due(now):
        return None
    claimed = refund.hold_claim(now)
    if claimed and refund.status == Refund.Status.REQUESTED:
        refund.move_to(Refund.Status.PROCESSING, actor=WORKER, at=now, also=refund.WORK_COLUMNS)
    else:
        refund.save(update_fields=refund.WORK_COLUMNS)
    if not claimed:
        signals.refund_failed.send(sender=Refund, refund=refund, now=now)
    return refund if claimed else None


@unit_of_work
def _put_off(*, refund_id: int, reason: str, now: datetime) -> None:
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    if refund.status == Refund.Status.PROCESSING:
        refund.work_failed(reason, now=now)
        refund.save(update_fields=refund.WORK_COLUMNS)
        if refund.parked_at is not None:
            signals.refund_failed.send(sender=Refund, refund=refund, now=now)


@unit_of_work
def record_refund(*, refund_id: int, key: str, outcome: Outcome, now: datetime) -> Refund:
    """Record what the gateway says of the refund that it was asked for under ``key``.

    A repeated or outdated message changes nothing.
    """
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    if refund.status != Refund.Status.PROCESSING or refund.gateway_key != key:  # a new try has a new key
        return refund
    refund.gateway_reference = outcome.reference
    if outcome.is_pending:
        refund.work_goes_on(None if outcome.ask_again is None else now + outcome.ask_again)
        refund.save(update_fields=[*refund.WORK_COLUMNS, "gateway_reference"])
        if outcome.ask_again is None:
            signals.refund_left_to_people.send(sender=Refund, refund=refund, now=now)
        return refund
    refund.work_is_done()
    refund.failure_code = outcome.failure_code
    if not outcome.succeeded:
        refund.last_error, refund.parked_at = outcome.failure_code, now
        refund.move_to(
            Refund.Status.FAILED,
            actor=WORKER,
            at=now,
            note=outcome.failure_code,
            also=[*refund.WORK_COLUMNS, "gateway_reference", "failure_code"],
        )
        signals.refund_failed.send(sender=Refund, refund=refund, now=now)
        return refund
    complete_refund(payment=payment, refund=refund, actor=WORKER, now=now)
    return refund


def complete_refund(*, payment: Payment, refund: Refund, actor: Actor, now: datetime, note: str = "") -> None:
    """Record that a refund arrived. The caller holds the locks of both rows, and has cleared what was owed."""
    refund.completed_at = now
    refund.move_to(
        Refund.Status.COMPLETED,
        actor=actor,
        at=now,
        note=note,
        also=[*refund.WORK_COLUMNS, "gateway_reference", "failure_code", "by_hand_note", "completed_at"],
    )
    payment.refunded_amount += refund.amount
    whole = payment.refunded_amount == payment.amount
    target = Payment.Status.REFUNDED if whole else Payment.Status.PARTIALLY_REFUNDED
    if payment.may_move_to(target):
        payment.move_to(target, actor=actor, at=now, also=["refunded_amount"])
    else:  # a second partial refund: the state stays
        payment.save(update_fields=["refunded_amount"])
    signals.refund_completed.send(sender=Refund, refund=refund, now=now)
