"""The interface behind which every payment gateway stands.

A gateway call is made outside of any transaction, under the row's own key: the same key asked twice is charged once.
Amounts are in the currency's units, never in its smallest ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings

from eventhub_config.shared.errors import DomainError, NotVisible

_GATEWAYS = {
    "mock": "payments.gateways.mock",
    "stripe": "payments.gateways.stripe",
    "by_hand": "payments.gateways.by_hand",
}

# The setting without which a gateway can sign nothing for us; it is not loaded for a callback then.
_SIGNED_WITH = {"stripe": "STRIPE_WEBHOOK_SECRET"}

AT_ONCE = timedelta(0)  # until when to wait where a gateway has only given a charge its name
CANCELLED = "cancelled"  # why a charge failed that was kept from succeeding


class GatewayUnavailableError(Exception):
    """The gateway did not answer, or not in a way that says what happened. Ask again with the same key."""


class CallbackRefused(DomainError):
    """A callback that its gateway did not sign, or not for now."""

    code = "invalid_signature"
    status = 400
    title = "The signature of this callback is missing, wrong or too old."


class CallbackMalformed(DomainError):
    code = "invalid_callback"
    status = 400
    title = "This callback cannot be understood."


class State(Enum):
    """What became of a charge or refund at its gateway."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"  # not decided: the person has to do something there, or the gateway takes its time


@dataclass(frozen=True)
class Outcome:
    """What a gateway says of one charge or refund.

    ``action_url``: where the person has to go to finish a pending charge. ``ask_again``: when a pending one is worth
    another look, ``AT_ONCE`` if what it lacks is only that its ``reference`` is recorded; None: only a person can say.
    """

    state: State
    reference: str
    amount: Decimal
    currency: str
    failure_code: str = ""
    action_url: str = ""
    ask_again: timedelta | None = timedelta(minutes=1)

    @property
    def succeeded(self) -> bool:
        return self.state is State.SUCCEEDED

    @property
    def is_pending(self) -> bool:
        return self.state is State.PENDING


@dataclass(frozen=True)
class ChargeOrder:
    """Money to be taken. ``reference`` is the gateway's own name for it, once it gave one."""

    key: str
    amount: Decimal
    currency: str
    token: str = ""
    method: str = ""
    reference: str = ""
    description: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class RefundOrder:
    """Money of one charge to be given back."""

    key: str
    charge_reference: str
    amount: Decimal
    currency: str
    reference: str = ""


@dataclass(frozen=True)
class Callback:
    """What a gateway tells by itself: that something became of the charge or refund with this key.

    ``subject`` is "charge", "refund", or empty for what we do not act on. Only an alarm clock: what is true is asked of
    the gateway then, so neither order nor repetition matter.
    """

    event_id: str
    type: str
    subject: str = ""
    key: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)


class Gateway(Protocol):
    def charge(self, order: ChargeOrder) -> Outcome:
        """Take money, or say again what came of it.

        :raises GatewayUnavailableError: it is not known what happened.
        """

    def find_charge(self, order: ChargeOrder) -> Outcome | None:
        """Return what came of the charge with this key, or None if there never was one.

        :raises GatewayUnavailableError: the gateway cannot be asked now.
        """

    def cancel_charge(self, order: ChargeOrder) -> Outcome | None:
        """Keep a pending charge from succeeding, and return what it is now: it may be too late, or not possible.

        :raises GatewayUnavailableError: the gateway cannot be asked now.
        """

    def refund(self, order: RefundOrder) -> Outcome:
        """Give money of a charge back, or say again what came of it.

        :raises GatewayUnavailableError: it is not known what happened.
        """

    def find_refund(self, order: RefundOrder) -> Outcome | None:
        """Return what came of the refund with this key, or None if there never was one.

        :raises GatewayUnavailableError: the gateway cannot be asked now.
        """

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Verify who sent a callback and when, then read it.

        :raises NotVisible: this gateway sends none here.
        :raises CallbackRefused: its signature is missing, wrong or too old; nothing of it was read.
        :raises CallbackMalformed: it is signed, and still makes no sense.
        """


def read_callback(name: str, body: bytes, headers: Mapping[str, str]) -> Callback:
    """Have the gateway of this name verify and read a callback.

    :raises NotVisible: there is no such gateway, or it sends none here.
    :raises CallbackRefused, CallbackMalformed: it is not to be trusted, or not to be understood.
    """
    if name not in _GATEWAYS or (name in _SIGNED_WITH and not getattr(settings, _SIGNED_WITH[name])):
        raise NotVisible
    return gateway(name).read_callback(body, headers)


@cache
def gateway(name: str) -> Gateway:
    """Return the gateway of this name; a payment stays with the one it began at."""
    made: Gateway = import_module(_GATEWAYS[name]).make()
    return made
