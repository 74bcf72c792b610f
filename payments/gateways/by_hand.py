"""Money that people took and give back themselves: in cash, or straight to the organizer's account.

No machine can move it. A refund waits until a person says that it was paid (``mark_refund_as_paid``).
"""

from collections.abc import Mapping

from eventhub_config.shared.errors import NotVisible
from payments.gateway import Callback, ChargeOrder, Outcome, RefundOrder, State


class NothingByHand:
    """Answers for the organizer's till: takes nothing by itself, and leaves what goes back to people."""

    def charge(self, order: ChargeOrder) -> Outcome:
        return Outcome(State.FAILED, "", order.amount, order.currency, "only_by_hand")

    def find_charge(self, order: ChargeOrder) -> Outcome | None:
        return None

    def cancel_charge(self, order: ChargeOrder) -> Outcome | None:
        return None

    def refund(self, order: RefundOrder) -> Outcome:
        return Outcome(State.PENDING, order.reference, order.amount, order.currency, ask_again=None)

    def find_refund(self, order: RefundOrder) -> Outcome | None:
        return None

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise NotVisible


def make() -> NothingByHand:
    return NothingByHand()
