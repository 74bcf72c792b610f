"""A gateway that takes no real money: for development, demonstrations and tests.

It succeeds at ``MOCK_GATEWAY_SUCCESS_RATE`` and answers after ``MOCK_GATEWAY_DELAY_MS``. With
``MOCK_GATEWAY_TEST_TOKENS`` a client says by its token what is to happen (docs/api.md); any of them may end in
``:seconds``, which the gateway then takes: to decide where it is late anyway, to answer elsewhere.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db.models import Sum
from django.utils import timezone

from eventhub_config.shared import money
from eventhub_config.shared.errors import Busy, NotVisible, database_was_lost
from eventhub_config.shared.parsing import read_json
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.transactions import unit_of_work
from payments.gateway import (
    CANCELLED,
    Callback,
    CallbackMalformed,
    ChargeOrder,
    GatewayUnavailableError,
    Outcome,
    RefundOrder,
    State,
)
from payments.models import MockGatewayEntry
from payments.services import mock_gateway as books
from payments.signing import HEADER, mock_gateway_secret, verify

Kind = MockGatewayEntry.Kind
T = TypeVar("T")

SUCCESS, DECLINE, TIMEOUT = "tok_success", "tok_decline", "tok_timeout"
LATE_SUCCESS, LATE_DECLINE = "tok_late_success", "tok_late_decline"
WRONG_AMOUNT, WRONG_CURRENCY = "tok_wrong_amount", "tok_wrong_currency"
ACTION_REQUIRED = "tok_action_required"
REFUND_FAILS, REFUND_PENDING = "tok_refund_fails", "tok_refund_pending"
LATE = frozenset({LATE_SUCCESS, LATE_DECLINE, REFUND_PENDING})  # their seconds are those until it is decided
TOKENS = LATE | {
    SUCCESS, DECLINE, TIMEOUT, WRONG_AMOUNT, WRONG_CURRENCY, ACTION_REQUIRED, REFUND_FAILS,
    books.DUPLICATE_CALLBACK, books.OUT_OF_ORDER,
}  # fmt: skip
LONGEST_ANSWER_SECONDS = 30  # well within the time that a task may take
LONGEST_URL = 500  # characters; without one, the page tells the person that they may close it
A_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Script:
    """What a test token asks for. An empty name: nothing, the dice decide; None: nobody knows this token."""

    name: str | None = ""
    seconds: int | None = None

    @classmethod
    def of(cls, token: str) -> "Script":
        if not settings.MOCK_GATEWAY_TEST_TOKENS or not token.startswith("tok_"):
            return cls()
        name, colon, seconds = token.partition(":")
        readable = not colon or (seconds.isascii() and seconds.isdigit() and len(seconds) <= 6)
        if name not in TOKENS or not readable:
            return cls(None)
        return cls(name, int(seconds) if colon else None)

    def settles_at(self, now: datetime) -> datetime:
        seconds = settings.MOCK_GATEWAY_LATE_SECONDS if self.seconds is None else self.seconds
        return now + timedelta(seconds=seconds)


class MockGateway:
    """Keeps a ledger of its own (:class:`MockGatewayEntry`), each entry committed by itself."""

    def charge(self, order: ChargeOrder) -> Outcome:
        _take_time()
        known = _find(Kind.CHARGE, order.key)
        if known is not None:
            return known
        script = Script.of(order.token)
        if script.seconds and script.name not in LATE:
            time.sleep(min(script.seconds, LONGEST_ANSWER_SECONDS))
        outcome = _asked(lambda: _enter_charge(order, script, timezone.now()))
        if script.name == TIMEOUT:
            raise GatewayUnavailableError("The answer was lost (tok_timeout).")
        return outcome

    def find_charge(self, order: ChargeOrder) -> Outcome | None:
        return _find(Kind.CHARGE, order.key)

    def cancel_charge(self, order: ChargeOrder) -> Outcome | None:
        """What waits for a person can be cancelled; what takes its time cannot."""
        entry = MockGatewayEntry.objects.filter(key=order.key, kind=Kind.CHARGE, awaits_person=True).first()
        if entry is not None:
            _asked(lambda: books.decide(entry_id=entry.pk, succeeded=False, failure_code=CANCELLED, now=timezone.now()))
        return _find(Kind.CHARGE, order.key)

    def refund(self, order: RefundOrder) -> Outcome:
        _take_time()
        known = _find(Kind.REFUND, order.key)
        return known or _asked(lambda: _enter_refund(order, timezone.now()))

    def find_refund(self, order: RefundOrder) -> Outcome | None:
        return _find(Kind.REFUND, order.key)

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        if settings.PAYMENT_GATEWAY != "mock" and not settings.MOCK_GATEWAY_CALLBACK_URL:
            raise NotVisible
        verify(headers.get(HEADER, ""), body, secret=mock_gateway_secret(), now=timezone.now())
        content = read_json(body, otherwise=CallbackMalformed)
        if not isinstance(content, dict):
            raise CallbackMalformed
        type_ = _text(content, "type", 80)
        subject = type_.partition(".")[0]
        if subject not in {Kind.CHARGE, Kind.REFUND}:
            return Callback(_text(content, "id", 120), type_, payload=content)
        data = content.get("data")
        if not isinstance(data, dict):
            raise CallbackMalformed
        return Callback(_text(content, "id", 120), type_, subject, _text(data, "key", 64), content)


# --- Entries ----------------------------------------------------------------------------------------------------------


def _enter_charge(order: ChargeOrder, script: Script, now: datetime) -> Outcome:
    failure = _failure(order.key, script)
    entry = MockGatewayEntry(
        kind=Kind.CHARGE,
        key=order.key,
        reference=f"mock_ch_{opaque_key()}",
        amount=order.amount,
        currency=order.currency,
        succeeded=not failure,
        failure_code=failure,
        script=order.token if script.name else "",
        return_url=order.return_url if len(order.return_url) <= LONGEST_URL else "",
        created_at=now,
    )
    if script.name in {LATE_SUCCESS, LATE_DECLINE}:
        entry.succeeded, entry.settles_at = None, script.settles_at(now)
    elif script.name == ACTION_REQUIRED:
        entry.succeeded, entry.awaits_person = None, True
    elif script.name == WRONG_AMOUNT:
        entry.amount += 1
    elif script.name == WRONG_CURRENCY:
        entry.currency = "EUR" if order.currency != "EUR" else "USD"
        entry.amount = money.rounded(order.amount, entry.currency)
    return _outcome(books.enter(entry=entry), now)


def _failure(key: str, script: Script) -> str:
    if script.name is None:
        return "unknown_token"
    if script.name in {DECLINE, LATE_DECLINE}:
        return "card_declined"
    if script.name:
        return ""
    # From the key, so that a repeat of the very same request has the same luck.
    drawn = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") / 2**64
    return "" if drawn < settings.MOCK_GATEWAY_SUCCESS_RATE else "card_declined"


@unit_of_work
def _enter_refund(order: RefundOrder, now: datetime) -> Outcome:
    """Never give back more than was taken, whatever the caller believes: it is decided under the charge's lock."""
    charges = MockGatewayEntry.objects.select_for_update(no_key=True).filter(kind=Kind.CHARGE)
    charge = charges.filter(reference=order.charge_reference).first()
    script = Script.of(charge.script) if charge else Script()
    entry = MockGatewayEntry(
        kind=Kind.REFUND,
        key=order.key,
        reference=f"mock_re_{opaque_key()}",
        charge_reference=order.charge_reference,
        amount=order.amount,
        currency=order.currency,
        succeeded=True,
        script=charge.script if charge else "",
        created_at=now,
    )
    failure = _why_not_given_back(order, charge)
    if failure or script.name == REFUND_FAILS:
        entry.succeeded, entry.failure_code = False, failure or "refund_declined"
    elif script.name == REFUND_PENDING:
        entry.succeeded, entry.settles_at = None, script.settles_at(now)
    return _outcome(books.enter(entry=entry), now)


def _why_not_given_back(order: RefundOrder, charge: MockGatewayEntry | None) -> str:
    if charge is None or not charge.succeeded:
        return "no_such_charge"
    if charge.currency != order.currency:
        return "wrong_currency"
    others = MockGatewayEntry.objects.filter(kind=Kind.REFUND, charge_reference=charge.reference).exclude(key=order.key)
    back: Decimal = others.exclude(succeeded=False).aggregate(total=Sum("amount"))["total"] or money.ZERO
    return "exceeds_charge" if back + order.amount > charge.amount else ""


# --- Answers ----------------------------------------------------------------------------------------------------------


def _take_time() -> None:
    if settings.MOCK_GATEWAY_DELAY_MS:
        time.sleep(settings.MOCK_GATEWAY_DELAY_MS / 1000)


def _find(kind: str, key: str) -> Outcome | None:
    now = timezone.now()

    def look() -> Outcome | None:
        entry = MockGatewayEntry.objects.filter(kind=kind, key=key).first()
        return _outcome(books.settle(entry=entry, now=now), now) if entry else None

    return _asked(look)


def _asked(question: Callable[[], T]) -> T:
    """Have something done in the books; that they cannot be reached says nothing of what stands there."""
    try:
        return question()
    except (Busy, DatabaseProblem) as error:
        if not isinstance(error, Busy) and not database_was_lost(error):
            raise
        raise GatewayUnavailableError(f"The books are busy: {error}") from error


def _outcome(entry: MockGatewayEntry, now: datetime) -> Outcome:
    states = {None: State.PENDING, True: State.SUCCEEDED, False: State.FAILED}
    state = states[entry.succeeded]
    waits = entry.settles_at - now if entry.settles_at else timedelta(minutes=1)
    return Outcome(
        state,
        entry.reference,
        entry.amount,
        entry.currency,
        failure_code=entry.failure_code if state is State.FAILED else "",
        action_url=f"{settings.PUBLIC_URL}/mock-gateway/{entry.reference}/" if entry.awaits_person else "",
        ask_again=max(waits, A_MOMENT),
    )


def _text(content: Mapping[str, object], name: str, longest: int) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise CallbackMalformed
    return value


def make() -> MockGateway:
    return MockGateway()
