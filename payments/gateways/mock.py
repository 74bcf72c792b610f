"""A gateway that takes no real money: for development, demonstrations and tests.

It succeeds at ``MOCK_GATEWAY_SUCCESS_RATE`` and answers after ``MOCK_GATEWAY_DELAY_MS``. With
``MOCK_GATEWAY_TEST_TOKENS`` a client can script it: ``tok_success``, ``tok_decline``, and ``tok_timeout``, which
takes the money and loses the first answer.
"""

import hashlib
import time
from collections.abc import Mapping

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from eventhub_config.shared.references import opaque_key
from payments.gateway import (
    Callback,
    CallbackRefused,
    ChargeOrder,
    GatewayUnavailableError,
    Outcome,
    RefundOrder,
    State,
)
from payments.models import MockGatewayEntry

SUCCESS, DECLINE, TIMEOUT = "tok_success", "tok_decline", "tok_timeout"


class MockGateway:
    """Keeps a ledger of its own (:class:`MockGatewayEntry`), each entry committed by itself."""

    def charge(self, order: ChargeOrder) -> Outcome:
        self._take_time()
        known = self._find(order.key)
        if known is not None:
            return known
        failure = self._failure(order.key, order.token)
        outcome = self._enter(
            MockGatewayEntry(
                kind=MockGatewayEntry.Kind.CHARGE,
                key=order.key,
                reference=f"mock_ch_{opaque_key()}",
                amount=order.amount,
                currency=order.currency,
                succeeded=not failure,
                failure_code=failure,
            )
        )
        if settings.MOCK_GATEWAY_TEST_TOKENS and order.token == TIMEOUT:
            raise GatewayUnavailableError("The answer was lost (tok_timeout).")
        return outcome

    def find_charge(self, order: ChargeOrder) -> Outcome | None:
        return self._find(order.key)

    def cancel_charge(self, order: ChargeOrder) -> Outcome | None:
        return self._find(order.key)

    def refund(self, order: RefundOrder) -> Outcome:
        self._take_time()
        known = self._find(order.key)
        if known is not None:
            return known
        return self._enter(
            MockGatewayEntry(
                kind=MockGatewayEntry.Kind.REFUND,
                key=order.key,
                reference=f"mock_re_{opaque_key()}",
                charge_reference=order.charge_reference,
                amount=order.amount,
                currency=order.currency,
                succeeded=True,
            )
        )

    def find_refund(self, order: RefundOrder) -> Outcome | None:
        return self._find(order.key)

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise CallbackRefused

    def _take_time(self) -> None:
        if settings.MOCK_GATEWAY_DELAY_MS:
            time.sleep(settings.MOCK_GATEWAY_DELAY_MS / 1000)

    def _failure(self, key: str, token: str) -> str:
        if settings.MOCK_GATEWAY_TEST_TOKENS and token in {SUCCESS, TIMEOUT}:
            return ""
        if settings.MOCK_GATEWAY_TEST_TOKENS and token == DECLINE:
            return "card_declined"
        # From the key, so that a repeat of the very same request has the same luck.
        drawn = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") / 2**64
        return "" if drawn < settings.MOCK_GATEWAY_SUCCESS_RATE else "card_declined"

    def _find(self, key: str) -> Outcome | None:
        entry = MockGatewayEntry.objects.filter(key=key).first()
        return _outcome(entry) if entry else None

    def _enter(self, entry: MockGatewayEntry) -> Outcome:
        entry.created_at = timezone.now()
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
        except IntegrityError:  # the same key in the same moment: one of the two is what happened
            entry = MockGatewayEntry.objects.get(key=entry.key)
        return _outcome(entry)


def _outcome(entry: MockGatewayEntry) -> Outcome:
    states = {None: State.PENDING, True: State.SUCCEEDED, False: State.FAILED}
    return Outcome(states[entry.succeeded], entry.reference, entry.amount, entry.currency, entry.failure_code)


def make() -> MockGateway:
    return MockGateway()
