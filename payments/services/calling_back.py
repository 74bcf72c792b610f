"""What gateways tell by themselves: stored once, then worked on.

A callback is an alarm clock. What is true is asked of the gateway when its row is worked on, by the same questions and
recorded by the same services as after a call of our own; so neither the order, nor the repetition, nor the contents
of callbacks matter.
"""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction

from eventhub_config.shared.transactions import unit_of_work
from payments import signals
from payments.gateway import Callback, GatewayUnavailableError, Outcome, gateway
from payments.models import GatewayCallback, Payment, Refund
from payments.services.charging import order_of, record_charge
from payments.services.refunding import order_of_refund, record_refund

Result = GatewayCallback.Result
logger = logging.getLogger(__name__)


@unit_of_work
def take_callback(*, gateway: str, callback: Callback, now: datetime) -> GatewayCallback:
    """Keep a verified callback and wake a worker for it. One that came before is returned as it is."""
    kept = GatewayCallback(
        gateway=gateway,
        event_id=callback.event_id,
        type=callback.type,
        subject=callback.subject,
        key=callback.key,
        payload=callback.payload,
        received_at=now,
        next_attempt_at=now,
    )
    if not callback.subject:
        kept.processed_at, kept.result, kept.next_attempt_at = now, Result.IGNORED, None
    try:
        with transaction.atomic():
            kept.save(force_insert=True)
    except IntegrityError:
        return GatewayCallback.objects.get(gateway=gateway, event_id=callback.event_id)
    if callback.subject:
        signals.callback_received.send(sender=GatewayCallback, callback=kept)
    return kept


def process_callback(*, callback_id: int, now: datetime) -> None:
    """Ask the gateway what a stored callback is about, and record its answer.

    May run any number of times, like ``process_payment``: what was recorded already changes nothing.
    """
    callback = _claim(callback_id=callback_id, now=now)
    if callback is None:
        return
    try:
        if callback.subject == "refund":
            _process_refund(callback, now)
        else:
            _process_charge(callback, now)
    except GatewayUnavailableError as error:
        _put_off(callback_id=callback_id, reason=str(error), now=now)


def _process_charge(callback: GatewayCallback, now: datetime) -> None:
    rows = Payment.objects.select_related("booking").filter(gateway=callback.gateway, gateway_key=callback.key)
    payment = rows.first()
    if payment is None:
        _finish(callback_id=callback.pk, result=Result.UNKNOWN, now=now)
        return
    outcome = gateway(callback.gateway).find_charge(order_of(payment))
    if outcome is None:
        _finish(callback_id=callback.pk, result=Result.NO_CHANGE, now=now)
    else:
        _record_charge(callback_id=callback.pk, payment_id=payment.pk, outcome=outcome, now=now)


def _process_refund(callback: GatewayCallback, now: datetime) -> None:
    rows = Refund.objects.select_related("payment")
    refund = rows.filter(payment__gateway=callback.gateway, gateway_key=callback.key).first()
    if refund is None:
        _finish(callback_id=callback.pk, result=Result.UNKNOWN, now=now)
        return
    outcome = gateway(callback.gateway).find_refund(order_of_refund(refund))
    if outcome is None:
        _finish(callback_id=callback.pk, result=Result.NO_CHANGE, now=now)
    else:
        _record_refund(callback=callback, refund_id=refund.pk, outcome=outcome, now=now)


@unit_of_work
def _record_charge(*, callback_id: int, payment_id: int, outcome: Outcome, now: datetime) -> None:
    """Record what the gateway says of a payment, and that its callback was worked on: both or neither."""
    before = Payment.objects.values_list("status", "gateway_reference", "next_action_url").get(pk=payment_id)
    payment = record_charge(payment_id=payment_id, outcome=outcome, now=now)
    taken = payment.status in Payment.TAKEN
    if not outcome.is_pending and outcome.succeeded != taken:
        says = "took money" if outcome.succeeded else f"took no money ({outcome.failure_code})"
        _disagree(callback_id=callback_id, why=f"Payment {payment} is {payment.status}; its gateway {says}.", now=now)
        return
    changed = before != (payment.status, payment.gateway_reference, payment.next_action_url)
    _finish(callback_id=callback_id, result=Result.APPLIED if changed else Result.NO_CHANGE, now=now)


@unit_of_work
def _record_refund(*, callback: GatewayCallback, refund_id: int, outcome: Outcome, now: datetime) -> None:
    """The same for a refund."""
    before = Refund.objects.values_list("status", "gateway_reference").get(pk=refund_id)
    refund = record_refund(refund_id=refund_id, key=callback.key, outcome=outcome, now=now)
    if refund.gateway_key != callback.key:  # it was tried again meanwhile; this is about the try before
        _finish(callback_id=callback.pk, result=Result.NO_CHANGE, now=now)
        return
    given_back = refund.status == Refund.Status.COMPLETED and not refund.by_hand_note
    if not outcome.is_pending and outcome.succeeded != given_back:
        says = "gave the money back" if outcome.succeeded else f"did not give it back ({outcome.failure_code})"
        _disagree(callback_id=callback.pk, why=f"Refund {refund} is {refund.status}; its gateway {says}.", now=now)
        return
    changed = before != (refund.status, refund.gateway_reference)
    _finish(callback_id=callback.pk, result=Result.APPLIED if changed else Result.NO_CHANGE, now=now)


# --- The row itself: locked after everything else ---------------------------------------------------------------------


@unit_of_work
def _claim(*, callback_id: int, now: datetime) -> GatewayCallback | None:
    rows = GatewayCallback.objects.select_for_update(no_key=True)
    callback = rows.filter(pk=callback_id, processed_at=None).first()
    if callback is None or not callback.is_due(now):
        return None
    claimed = callback.hold_claim(now)
    callback.save(update_fields=callback.WORK_COLUMNS)
    return callback if claimed else None


@unit_of_work
def _finish(*, callback_id: int, result: str, now: datetime) -> None:
    callback = GatewayCallback.objects.select_for_update(no_key=True).get(pk=callback_id)
    if callback.processed_at is not None:
        return  # our claim ran out, and another worker was faster
    callback.work_is_done()
    callback.processed_at, callback.result = now, result
    callback.save(update_fields=[*callback.WORK_COLUMNS, "processed_at", "result"])
    logger.info("Callback %s: %s", callback, result)


@unit_of_work
def _put_off(*, callback_id: int, reason: str, now: datetime) -> None:
    callback = GatewayCallback.objects.select_for_update(no_key=True).get(pk=callback_id)
    if callback.processed_at is None:
        callback.work_failed(reason, now=now)
        callback.save(update_fields=callback.WORK_COLUMNS)


@unit_of_work
def _disagree(*, callback_id: int, why: str, now: datetime) -> None:
    """Give up a callback that tells of money which is not where our rows say: a person must look."""
    logger.error("%s", why)
    callback = GatewayCallback.objects.select_for_update(no_key=True).get(pk=callback_id)
    if callback.processed_at is None:
        callback.claimed_until, callback.parked_at, callback.last_error = None, now, why[:500]
        callback.save(update_fields=callback.WORK_COLUMNS)
