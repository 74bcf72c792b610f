"""What people do about money whose work was given up: have it tried again, or give it back past the gateway."""

from datetime import datetime

from bookings.models import Booking
from eventhub_config.shared.actors import Actor, System, actor_label
from eventhub_config.shared.errors import Busy, DomainError, Forbidden, InvalidTransition
from eventhub_config.shared.owed_work import CLAIM_LASTS, OwedWork
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.transactions import unit_of_work
from events.services.editing import require_owner
from payments import signals
from payments.gateway import GatewayUnavailableError, gateway
from payments.models import GatewayCallback, InvoiceRequest, Payment, Refund
from payments.services.refunding import (
    RefundExceedsPayment,
    complete_refund,
    conclude,
    cover,
    kept,
    lock_paying,
    order_of_refund,
    paying,
    record_refund,
    refundable,
)


class AlreadyRefunded(DomainError):
    code = "already_refunded"
    title = "The gateway gave this money back already. Do not pay it once more."


class GatewayUnavailable(Busy):
    code = "gateway_unavailable"
    title = "The payment gateway cannot be asked just now what became of this. Nothing was changed; try again."


# --- Refunds ----------------------------------------------------------------------------------------------------------


@unit_of_work
def retry_refund(*, refund_id: int, actor: Actor, now: datetime) -> Refund:
    """Have a refund sent that its gateway refused, or that was given up.

    What was refused is asked for anew, under a key of its own: under the old one the gateway would only repeat itself.
    What was given up without an answer keeps its key, so that it cannot go back twice.

    :raises NotOwner: the actor does not run the event.
    :raises RefundExceedsPayment: the money went back in another way meanwhile.
    :raises InvalidTransition: it is completed, or on its way.
    """
    booking, payment, refund = _lock_refund(refund_id)
    require_owner(booking.event, actor)
    if refund.status == Refund.Status.FAILED:
        _ask_anew(booking, payment, refund, actor, now)
        _conclude(booking, payment, actor, now)
    elif refund.status == Refund.Status.COMPLETED:
        raise refund.cannot_become(Refund.Status.PROCESSING)
    else:
        _try_again(refund, now)
        refund.save(update_fields=refund.WORK_COLUMNS)
    signals.refund_requested.send(sender=Refund, refund=refund, now=now)
    return refund


def mark_refund_as_paid(*, refund_id: int, note: str, actor: Actor, now: datetime) -> Refund:
    """Record that money went back past its gateway: in cash, or by a transfer; ``note`` says how.

    For refunds of money that was taken by hand, that the gateway refused, or that were given up without an answer. Of
    the last the gateway is asked first: it may have given the money back, and that is recorded instead.

    :raises NotOwner: the actor does not run the event.
    :raises RefundExceedsPayment: the money went back in another way meanwhile.
    :raises InvalidTransition: it is completed, or on its way.
    :raises AlreadyRefunded: the gateway says that it gave the money back.
    :raises GatewayUnavailable: the gateway has to be asked, and does not answer.
    """
    undecided = _claim_undecided(refund_id=refund_id, actor=actor, now=now)
    if undecided is not None:
        _ask_gateway(undecided, now)
    return _complete_by_hand(refund_id=refund_id, claim=undecided, note=note, actor=actor, now=now)


@unit_of_work
def _claim_undecided(*, refund_id: int, actor: Actor, now: datetime) -> Refund | None:
    """Keep workers off a refund that was given up without an answer, and return it; None if there is nothing to ask.

    :raises InvalidTransition: it may be on its way.
    """
    booking, payment, refund = _lock_refund(refund_id)
    require_owner(booking.event, actor)
    if refund.status in {Refund.Status.COMPLETED, Refund.Status.FAILED} or payment.gateway == Payment.BY_HAND:
        return None
    _require_given_up(refund, now)
    refund.claimed_until = now + CLAIM_LASTS
    refund.save(update_fields=["claimed_until"])
    return refund


def _ask_gateway(refund: Refund, now: datetime) -> None:
    """Record what the gateway says of a refund that is claimed, if it knows it.

    :raises AlreadyRefunded: it gave the money back.
    :raises GatewayUnavailable: it does not answer.
    """
    order = order_of_refund(refund)
    try:
        outcome = gateway(refund.payment.gateway).find_refund(order)
    except GatewayUnavailableError as error:
        Refund.objects.filter(pk=refund.pk, claimed_until=refund.claimed_until).update(claimed_until=None)
        raise GatewayUnavailable(retry_after=30) from error
    if outcome is not None:
        record_refund(refund_id=refund.pk, key=order.key, outcome=outcome, now=now)
        if outcome.succeeded:
            raise AlreadyRefunded


@unit_of_work
def _complete_by_hand(*, refund_id: int, claim: Refund | None, note: str, actor: Actor, now: datetime) -> Refund:
    booking, payment, refund = _lock_refund(refund_id)
    require_owner(booking.event, actor)
    if refund.status == Refund.Status.COMPLETED:
        raise refund.cannot_become(Refund.Status.COMPLETED)
    ours = claim is not None and refund.parked_at is not None and refund.claimed_until == claim.claimed_until
    if refund.status == Refund.Status.FAILED:
        _require_owed(booking, payment, refund)
    elif not ours and payment.gateway != Payment.BY_HAND:
        raise InvalidTransition("This refund is on its way.")
    if refund.status != Refund.Status.PROCESSING:
        refund.move_to(Refund.Status.PROCESSING, actor=actor, at=now, note=note)
    refund.work_is_done()
    refund.parked_at = None
    refund.failure_code = ""
    refund.by_hand_note = note
    complete_refund(payment=payment, refund=refund, actor=actor, now=now, note=note)
    _conclude(booking, payment, actor, now)
    return refund


def _ask_anew(booking: Booking, payment: Payment, refund: Refund, actor: Actor, now: datetime) -> None:
    _require_owed(booking, payment, refund)
    note = f"Before, {refund.gateway_reference or refund.gateway_key} failed: {refund.failure_code}"
    refund.try_again(now)
    refund.attempts = 0
    refund.gateway_key = opaque_key()
    refund.gateway_reference = refund.failure_code = refund.last_error = ""
    columns = [*refund.WORK_COLUMNS, "gateway_key", "gateway_reference", "failure_code"]
    refund.move_to(Refund.Status.PROCESSING, actor=actor, at=now, note=note, also=columns)


def _require_owed(booking: Booking, payment: Payment, refund: Refund) -> None:
    """Refuse a failed refund to count again if its money went back otherwise since, or is kept for the booking now."""
    left = refundable(payment)
    if payment.failure_code != Payment.WRONG_AMOUNT:
        left = min(left, kept(booking) - booking.amount_due)
    if refund.amount > left:
        raise RefundExceedsPayment("This money went back in another way meanwhile.")


def _conclude(booking: Booking, payment: Payment, actor: Actor, now: datetime) -> None:
    """Let another refund that failed rest, if this one gives back the money that it was to give."""
    if payment.failure_code == Payment.WRONG_AMOUNT:
        cover(payments=[payment], owed=refundable(payment), actor=actor, now=now)
    else:
        conclude(booking=booking, payments=list(paying(booking)), actor=actor, now=now)


def _lock_refund(refund_id: int) -> tuple[Booking, Payment, Refund]:
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    booking_id = Payment.objects.values_list("booking_id", flat=True).get(pk=payment_id)
    # The booking and nothing before it: what is due for it is compared, and its event stays as it is.
    booking = Booking.objects.select_for_update(no_key=True).get(pk=booking_id)
    lock_paying(booking)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
    payment.booking, refund.payment = booking, payment
    return booking, payment, refund


# --- Everything else that can be given up -----------------------------------------------------------------------------


@unit_of_work
def retry_payment(*, payment_id: int, actor: Actor, now: datetime) -> Payment:
    """Have a payment taken up again that was given up; its gateway is asked first what became of it.

    :raises NotOwner: the actor does not run the event.
    :raises InvalidTransition: it was not given up.
    """
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    require_owner(payment.booking.event, actor)
    if payment.status not in Payment.OPEN:
        raise payment.cannot_become(Payment.Status.PROCESSING)
    _try_again(payment, now)
    payment.save(update_fields=payment.WORK_COLUMNS)
    signals.payment_requested.send(sender=Payment, payment=payment, now=now)
    return payment


@unit_of_work
def retry_invoice(*, request_id: int, actor: Actor, now: datetime) -> InvoiceRequest:
    """Have an invoice issued that was given up.

    :raises Forbidden: the actor is no administrator.
    :raises InvalidTransition: it is issued, or was not given up.
    """
    _require_administrator(actor)
    request = InvoiceRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.invoice_id is not None:
        raise InvalidTransition("This invoice is issued already.")
    _try_again(request, now)
    request.save(update_fields=request.WORK_COLUMNS)
    signals.invoice_requested.send(sender=InvoiceRequest, request=request, now=now)
    return request


@unit_of_work
def retry_callback(*, callback_id: int, actor: Actor, now: datetime) -> GatewayCallback:
    """Have a callback worked on that was given up.

    :raises Forbidden: the actor is no administrator.
    :raises InvalidTransition: it was worked on, or not given up.
    """
    callback = _lock_given_up(callback_id, actor, now)
    callback.try_again(now)
    callback.save(update_fields=callback.WORK_COLUMNS)
    signals.callback_received.send(sender=GatewayCallback, callback=callback)
    return callback


@unit_of_work
def set_callback_aside(*, callback_id: int, actor: Actor, now: datetime) -> GatewayCallback:
    """Close a callback that was given up, once a person has seen to what it tells of. What was wrong stays on it.

    :raises Forbidden: the actor is no administrator.
    :raises InvalidTransition: it was worked on, or not given up.
    """
    callback = _lock_given_up(callback_id, actor, now)
    why = callback.last_error
    callback.work_is_done()
    callback.processed_at, callback.result = now, GatewayCallback.Result.SET_ASIDE
    callback.last_error = f"{why} (Looked at by {actor_label(actor)}.)"[:500]
    callback.save(update_fields=[*callback.WORK_COLUMNS, "processed_at", "result"])
    return callback


def _lock_given_up(callback_id: int, actor: Actor, now: datetime) -> GatewayCallback:
    _require_administrator(actor)
    callback = GatewayCallback.objects.select_for_update(no_key=True).get(pk=callback_id)
    if callback.processed_at is not None:
        raise InvalidTransition("This callback was worked on already.")
    _require_given_up(callback, now)
    return callback


def _try_again(row: OwedWork, now: datetime) -> None:
    _require_given_up(row, now)
    row.try_again(now)


def _require_given_up(row: OwedWork, now: datetime) -> None:
    if row.parked_at is None:
        raise InvalidTransition("This was not given up: it is on its way, or will be tried again by itself.")
    if row.claimed_until is not None and row.claimed_until > now:
        raise InvalidTransition("Somebody is looking at this right now.")


def _require_administrator(actor: Actor) -> None:
    if not isinstance(actor, System) and not getattr(actor, "is_platform_admin", False):
        raise Forbidden
