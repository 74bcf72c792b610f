"""Taking money: asked for by a person, taken to the gateway by a worker, recorded once."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from bookings.models import Booking
from bookings.services import expire_booking, extend_hold, lock_booking
from bookings.services.booking import lock_user
from bookings.services.closing import NotYourBooking
from eventhub_config.shared import money
from eventhub_config.shared.actors import System
from eventhub_config.shared.errors import DomainError, InvalidInput
from eventhub_config.shared.idempotency import IdempotencyKey
from eventhub_config.shared.owed_work import CLAIM_LASTS
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event
from payments import signals
from payments.gateway import AT_ONCE, ChargeOrder, GatewayUnavailableError, Outcome, State, gateway
from payments.models import Payment
from payments.services.settling import settle
from users.models import CustomUser

WORKER = System("process_payment")
TIMED_OUT = "timed_out"
OUTCOME_COLUMNS = (
    "amount", "currency", "gateway_reference", "failure_code", "token", "next_action_url", "completed_at"
)  # fmt: skip
logger = logging.getLogger(__name__)


class NothingToPay(DomainError):
    code = "nothing_to_pay"
    title = "Nothing is owed for this booking."


class BookingNotPayable(DomainError):
    code = "booking_not_payable"
    title = "This booking is closed; it cannot be paid any more."


class HoldExpired(DomainError):
    code = "hold_expired"
    title = "The time to pay has run out and the seats were given back. Book again."


class PaymentInProgress(DomainError):
    code = "payment_in_progress"
    title = "A payment for this booking is in progress."


@unit_of_work
def start_payment(
    *,
    user: CustomUser,
    booking_id: int,
    method: str = Payment.Method.CARD,
    token: str = "",
    now: datetime,
    key: IdempotencyKey | None = None,
) -> Payment:
    """Ask for what a booking costs; a worker takes it to the gateway.

    :raises InvalidInput: there is no such booking for this user.
    :raises NotYourBooking: they may see the booking, but somebody else made it.
    :raises NothingToPay: it is confirmed.
    :raises HoldExpired: its deadline has passed.
    :raises BookingNotPayable: it is closed.
    :raises PaymentInProgress: another payment for it is open.
    """
    key = key or IdempotencyKey()
    made_before = key.find(Payment)
    if made_before is not None:
        return made_before
    # The booking and nothing after it: whoever holds a booking may not want its event.
    booking = Booking.objects.select_for_update(no_key=True).filter(pk=booking_id).first()
    if booking is None or not Booking.objects.visible_to(user).filter(pk=booking_id).exists():
        raise InvalidInput.unknown("booking")
    if booking.user_id != user.pk:
        raise NotYourBooking
    _require_payable(booking, now)
    if booking.event.status == Event.Status.CANCELLED:  # read without its lock: settling asks again, under it
        raise BookingNotPayable("The event was cancelled.")
    payment = Payment(
        booking=booking,
        amount=booking.amount_due,
        currency=booking.currency,
        method=method,
        token=token,
        gateway=settings.PAYMENT_GATEWAY,
        status_changed_at=now,
        created_at=now,
        next_attempt_at=now,
    )
    try:
        payment.save(force_insert=True)
    except IntegrityError as error:
        raise PaymentInProgress from error
    payment.record_creation(actor=user, at=now)
    extend_hold(booking=booking, now=now)
    key.record(payment, status=202, now=now)
    signals.payment_requested.send(sender=Payment, payment=payment, now=now)
    return payment


def process_payment(*, payment_id: int, now: datetime) -> None:
    """Take a due payment to its gateway and record what came of it.

    May run twenty times side by side: one of them claims the row. A worker that dies in between leaves a claim that
    runs out; the next one asks the gateway again under the same key, which charges nothing twice. If the booking was
    closed or paid otherwise meanwhile, nothing more is taken.
    """
    payment = _claim(payment_id=payment_id, now=now)
    if payment is None:
        return
    try:
        outcome = _take(payment) if _is_wanted(payment) else _stop(payment)
    except GatewayUnavailableError as error:
        _put_off(payment_id=payment_id, reason=str(error), now=now)
    else:
        record_charge(payment_id=payment_id, outcome=outcome, now=now)
        if outcome.is_pending and outcome.ask_again == AT_ONCE:
            process_payment(payment_id=payment_id, now=now)


def order_of(payment: Payment) -> ChargeOrder:
    """Return what the gateway is asked to take."""
    reference = payment.booking.reference
    return ChargeOrder(
        key=payment.gateway_key,
        amount=payment.amount,
        currency=payment.currency,
        token=payment.token,
        method=payment.method,
        reference=payment.gateway_reference,
        description=reference,
        return_url=f"{settings.FRONTEND_URL or settings.PUBLIC_URL}/bookings/{payment.booking_id}",
    )


def _take(payment: Payment) -> Outcome:
    """Have the money taken. From the second attempt on the gateway is asked first what became of the ones before."""
    desk, order = gateway(payment.gateway), order_of(payment)
    asked_before = payment.attempts > 1 or bool(payment.gateway_reference)
    known = desk.find_charge(order) if asked_before else None
    return known or desk.charge(order)


def _is_wanted(payment: Payment) -> bool:
    """Return whether anybody waits for this money. Asked without their locks: what is taken all the same goes back."""
    booking = payment.booking
    return booking.status == Booking.Status.PENDING and booking.event.status != Event.Status.CANCELLED


def _stop(payment: Payment) -> Outcome:
    """Keep a payment from being taken that nobody waits for any more. What was taken before, counts."""
    outcome = gateway(payment.gateway).cancel_charge(order_of(payment))
    return outcome or Outcome(State.FAILED, "", payment.amount, payment.currency, TIMED_OUT)


@unit_of_work
def record_charge(*, payment_id: int, outcome: Outcome, now: datetime) -> Payment:
    """Record what the gateway says of a payment, and settle its booking.

    A repeated or outdated message changes nothing. Money that came in is always recorded; where its booking cannot be
    confirmed any more, it goes back by itself.
    """
    if outcome.is_pending:
        return _keep_asking(payment_id, outcome, now)
    payment = Payment.objects.select_related("booking__user").get(pk=payment_id)
    if payment.booking.status == Booking.Status.EXPIRED:
        lock_user(payment.booking.user)  # who may be booking the event again: one of the two, and never in a circle
    _event, booking = lock_booking(payment.booking_id)  # before the payment: see the lock order
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    target = Payment.Status.COMPLETED if outcome.succeeded else Payment.Status.FAILED
    if not payment.may_move_to(target):
        return payment
    note, failure_code = outcome.failure_code, outcome.failure_code
    if outcome.succeeded and (outcome.amount, outcome.currency) != (payment.amount, payment.currency):
        # What came in is what the row says from now on. It pays for nothing, so settling gives it back.
        asked = f"{money.as_text(payment.amount, payment.currency)} {payment.currency}"
        note, failure_code = f"{asked} had been asked for.", Payment.WRONG_AMOUNT
        came = f"{money.as_text(outcome.amount, outcome.currency)} {outcome.currency}"
        logger.error("Payment %s: the gateway took %s; %s", payment.pk, came, note)
        payment.amount, payment.currency = outcome.amount, outcome.currency
    payment.work_is_done()
    payment.gateway_reference = outcome.reference
    payment.failure_code = failure_code
    payment.token = payment.next_action_url = ""
    payment.completed_at = now if outcome.succeeded else None
    payment.move_to(
        target,
        actor=WORKER,
        at=now,
        note=note,
        also=[*payment.WORK_COLUMNS, *OUTCOME_COLUMNS],
    )
    if outcome.succeeded:
        signals.payment_completed.send(sender=Payment, payment=payment, now=now)
        settle(payment=payment, booking=booking, now=now)
    else:
        signals.payment_failed.send(sender=Payment, payment=payment, now=now)
    return payment


def time_out_payment(*, payment_id: int, now: datetime) -> None:
    """End a payment whose booking's time is up, and free the seats.

    The gateway is asked first: what it took, counts.
    """
    payment = _claim_to_end(payment_id=payment_id, now=now)
    if payment is None:
        return
    try:
        outcome = _stop(payment)
    except GatewayUnavailableError:
        return  # never failed by the clock alone; when this claim has run out, the next run asks again
    # Where the gateway cannot say yet, the payment stays open: what it takes in the end is found, and counts.
    record_charge(payment_id=payment_id, outcome=outcome, now=now)
    expire_booking(booking_id=payment.booking_id, now=now)


def _keep_asking(payment_id: int, outcome: Outcome, now: datetime) -> Payment:
    """Note how far a payment is that its gateway has not decided, and when to ask again. It may take any time."""
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if payment.status not in Payment.OPEN:
        return payment
    payment.gateway_reference = outcome.reference
    payment.next_action_url = outcome.action_url
    payment.work_goes_on(None if outcome.ask_again is None else now + outcome.ask_again)
    payment.save(update_fields=[*payment.WORK_COLUMNS, "gateway_reference", "next_action_url"])
    return payment


@unit_of_work
def _claim(*, payment_id: int, now: datetime) -> Payment | None:
    """Move a due payment to processing for a while, and return it; None if it is not due or somebody else has it."""
    rows = Payment.objects.select_for_update(no_key=True, of=("self",)).select_related("booking__event")
    payment = rows.filter(pk=payment_id, status__in=Payment.OPEN).first()
    if payment is None or not payment.is_due(now):
        return None
    claimed = payment.hold_claim(now)
    if claimed and payment.status == Payment.Status.PENDING:
        payment.move_to(Payment.Status.PROCESSING, actor=WORKER, at=now, also=payment.WORK_COLUMNS)
    else:
        payment.save(update_fields=payment.WORK_COLUMNS)
    return payment if claimed else None


@unit_of_work
def _claim_to_end(*, payment_id: int, now: datetime) -> Payment | None:
    """Keep workers off an open payment whose booking waits no longer, and return it; None if that is not so.

    Without the claim a worker could charge it just after the gateway said that there is no charge. Attempts are not
    counted, and a parked payment is taken too.
    """
    payment = Payment.objects.select_for_update(no_key=True).filter(pk=payment_id, status__in=Payment.OPEN).first()
    if payment is None or (payment.claimed_until is not None and payment.claimed_until > now):
        return None
    booking = Booking.objects.get(pk=payment.booking_id)
    if booking.status == Booking.Status.PENDING and booking.expires_at is not None and booking.expires_at > now:
        return None
    payment.claimed_until = now + CLAIM_LASTS
    payment.save(update_fields=["claimed_until"])
    return payment


@unit_of_work
def _put_off(*, payment_id: int, reason: str, now: datetime) -> None:
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if payment.status == Payment.Status.PROCESSING:
        payment.work_failed(reason, now=now)
        payment.save(update_fields=payment.WORK_COLUMNS)


def _require_payable(booking: Booking, now: datetime) -> None:
    if booking.status in {Booking.Status.CONFIRMED, Booking.Status.NO_SHOW}:
        raise NothingToPay
    if booking.status == Booking.Status.EXPIRED:
        raise HoldExpired
    if booking.status != Booking.Status.PENDING or booking.amount_due <= money.ZERO:
        raise BookingNotPayable
    if booking.expires_at is not None and booking.expires_at <= now:
        raise HoldExpired
