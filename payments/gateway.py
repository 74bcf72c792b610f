"""The interface behind which every payment gateway stands.

A gateway call is made outside of any transaction, under the row's own key: the same key asked twice is charged once.
Amounts are in the currency's units, never in its smallest ones.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Protocol

_GATEWAYS = {"mock": "payments.gateways.mock"}


class GatewayUnavailableError(Exception):
    """The gateway did not answer, or not in a way that says what happened. Ask again with the same key."""


@dataclass(frozen=True)
class Outcome:
    """What a gateway says of one charge or refund."""

    succeeded: bool
    reference: str
    amount: Decimal
    currency: str
    failure_code: str = ""


class Gateway(Protocol):
    def charge(self, *, key: str, amount: Decimal, currency: str, token: str) -> Outcome:
        """Take money, or say again what came of it.

        :raises GatewayUnavailableError: it is not known what happened.
        """

    def find_charge(self, *, key: str) -> Outcome | None:
        """Return what came of the charge with this key, or None if there never was one.

        :raises GatewayUnavailableError: the gateway cannot be asked now.
        """

    def refund(self, *, key: str, charge_reference: str, amount: Decimal, currency: str) -> Outcome:
        """Give money of a charge back, or say again what came of it.

        :raises GatewayUnavailableError: it is not known what happened.
        """


@cache
def gateway(name: str) -> Gateway:
    """Return the gateway of this name; a payment stays with the one it began at."""
    made: Gateway = import_module(_GATEWAYS[name]).make()
    return made
