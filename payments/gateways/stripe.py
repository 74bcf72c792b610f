"""Stripe, through its own library: PaymentIntents that are confirmed from here, refunds, webhooks.

Loaded only where a payment is Stripe's. Why it asks in this order: ``docs/decisions/gateways.md``.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import orjson
import stripe
from django.conf import settings

from eventhub_config.shared.errors import NotVisible
from payments.gateway import (
    AT_ONCE,
    CANCELLED,
    Callback,
    CallbackMalformed,
    CallbackRefused,
    ChargeOrder,
    GatewayUnavailableError,
    Outcome,
    RefundOrder,
    State,
)
from payments.gateways.stripe_amounts import from_smallest_units, smallest_units

# Seconds to connect and between two pieces of an answer. A claim lasts longer than three such calls (CLAIM_LASTS).
TIMEOUT = (5.0, 15.0)
# In our objects at Stripe: the key of our row. What has none was not made by us.
PAYMENT_KEY, REFUND_KEY = "eventhub_payment", "eventhub_refund"
AGAIN = "-again"
KEY_LENGTH, EVENT_ID_LENGTH, TYPE_LENGTH, CODE_LENGTH = 64, 120, 80, 40

NO_TOKEN = "no_payment_method"  # noqa: S105
UNKNOWN_TOKEN = "unknown_token"  # noqa: S105
UNSUPPORTED_AMOUNT = "unsupported_amount"

# Banks take days, and tell by a webhook; asking is for the webhook that did not come.
BANK_TAKES_TIME = timedelta(hours=1)
CHARGE_EVENTS = frozenset(
    f"payment_intent.{what}" for what in ("succeeded", "payment_failed", "canceled", "processing", "requires_action")
)
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)


class StripeGateway:
    """Keeps a charge as a PaymentIntent, whose own state lets it be charged once, however often it is asked for."""

    def __init__(self, *, secret_key: str, webhook_secret: str, api_base: str) -> None:
        stripe.enable_telemetry = False  # else it sends timings, and leaves an id in the home directory
        stripe.log = None
        self._secret_key, self._webhook_secret = secret_key, webhook_secret
        self._is_live = "_live_" in secret_key
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            max_network_retries=0,  # our rows are tried again, with pauses that people can see
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )
        self._intents, self._refunds = client.v1.payment_intents, client.v1.refunds

    # --- Charges ------------------------------------------------------------------------------------------------------

    def charge(self, order: ChargeOrder) -> Outcome:
        """Name the charge, which takes nothing yet; asked again under that name, confirm it.

        Between the two our row learns the name. Stripe knows an idempotency key for a day only: without the name, a
        later repeat would be a second charge.
        """
        if not order.token:
            return _failed(order, NO_TOKEN)
        return self._confirm(order) if order.reference else self._begin(order)

    def find_charge(self, order: ChargeOrder) -> Outcome | None:
        # What has no name here was never confirmed.
        return self._decided(self._retrieve(order.reference)) if order.reference else None

    def cancel_charge(self, order: ChargeOrder) -> Outcome | None:
        return _outcome(self._cancel(order.reference)) if order.reference else None

    def _begin(self, order: ChargeOrder) -> Outcome:
        units = smallest_units(order.amount, order.currency)
        if units is None:
            return _failed(order, UNSUPPORTED_AMOUNT)
        try:
            intent = self._ask(
                lambda options: self._intents.create(
                    {
                        "amount": units,
                        "currency": order.currency.lower(),
                        "description": order.description,
                        "metadata": {PAYMENT_KEY: order.key},
                        "automatic_payment_methods": {"enabled": True},
                    },
                    options,
                ),
                key=order.key,
            )
        except stripe.InvalidRequestError as error:
            return _failed(order, _code(error))
        return Outcome(State.PENDING, intent.id, order.amount, order.currency, ask_again=AT_ONCE)

    def _confirm(self, order: ChargeOrder) -> Outcome:
        is_confirmation_token = order.token.startswith("ctoken_")
        chosen = {"confirmation_token" if is_confirmation_token else "payment_method": order.token}
        params: Any = {"return_url": order.return_url, **chosen}
        try:
            intent = self._ask(
                lambda options: self._intents.confirm(order.reference, params, options),
                key=f"{order.key}-confirm",
            ).to_dict()
        except stripe.CardError as error:
            return self._declined(order.reference, _code(error))
        except stripe.InvalidRequestError as error:
            if error.code == "payment_intent_unexpected_state":  # confirmed or cancelled meanwhile
                intent = self._retrieve(order.reference)
            elif error.code != "resource_missing":
                return self._declined(order.reference, _code(error))
            elif error.param in chosen:
                return self._declined(order.reference, UNKNOWN_TOKEN)
            else:
                raise _not_ours(order.reference) from error
        outcome = self._decided(intent)
        if outcome is None:
            raise GatewayUnavailableError(f"Stripe left {order.reference} as {intent['status']}.")
        return outcome

    def _decided(self, intent: Mapping[str, Any]) -> Outcome | None:
        if intent["status"] == "requires_payment_method" and intent.get("last_payment_error"):
            return self._declined(intent["id"], _code_of(intent))
        return _outcome(intent)

    def _declined(self, reference: str, code: str) -> Outcome:
        """Close what was declined: else the page that holds its secret could have another card charged for it later."""
        outcome = _outcome(self._cancel(reference))
        if outcome is None:
            raise GatewayUnavailableError(f"Stripe did not close {reference}, which was declined.")
        return replace(outcome, failure_code=code) if outcome.state is State.FAILED else outcome

    def _cancel(self, reference: str) -> dict[str, Any]:
        """Cancel an intent if that is possible, and return what it is then."""
        try:
            return self._ask(
                lambda options: self._intents.cancel(reference, {"cancellation_reason": "abandoned"}, options)
            ).to_dict()
        except stripe.InvalidRequestError:  # too late, or cancelled before
            return self._retrieve(reference)

    def _retrieve(self, reference: str) -> dict[str, Any]:
        try:
            return self._ask(lambda options: self._intents.retrieve(reference, {}, options)).to_dict()
        except stripe.InvalidRequestError as error:
            raise _not_ours(reference) from error

    # --- Refunds ------------------------------------------------------------------------------------------------------

    def refund(self, order: RefundOrder) -> Outcome:
        """Give money back, after a look at what went back already: an idempotency key is known for a day only."""
        known = self.find_refund(order)
        if known is not None:
            return known
        units = smallest_units(order.amount, order.currency)
        if units is None:
            return _failed(order, UNSUPPORTED_AMOUNT)
        try:
            refund = self._ask(
                lambda options: self._refunds.create(
                    {
                        "payment_intent": order.charge_reference,
                        "amount": units,
                        "metadata": {REFUND_KEY: order.key},
                    },
                    options,
                ),
                key=order.key,
            )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            if error.code == "resource_missing":
                raise _not_ours(order.charge_reference) from error
            return _failed(order, _code(error))
        return _refund_outcome(refund.to_dict())

    def find_refund(self, order: RefundOrder) -> Outcome | None:
        try:
            refund = self._ask(lambda options: self._seek_refund(order, options))
        except stripe.InvalidRequestError as error:
            raise _not_ours(order.reference or order.charge_reference) from error
        return _refund_outcome(refund) if refund else None

    def _seek_refund(self, order: RefundOrder, options: Any) -> dict[str, Any] | None:
        if order.reference:
            return self._refunds.retrieve(order.reference, {}, options).to_dict()
        of_charge = self._refunds.list({"payment_intent": order.charge_reference, "limit": 100}, options)
        every = (refund.to_dict() for refund in of_charge.auto_paging_iter())
        return next((refund for refund in every if (refund.get("metadata") or {}).get(REFUND_KEY) == order.key), None)

    # --- Callbacks ----------------------------------------------------------------------------------------------------

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Verify and read a webhook. Of its contents only names are kept: the rest may be about people."""
        if not self._webhook_secret:
            raise NotVisible
        signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
        _verify(body, signature, self._webhook_secret)
        try:
            event = orjson.loads(body)
            named = event["data"]["object"]
            identity, kind = event["id"], event["type"]
            if event["livemode"] is not self._is_live:
                raise CallbackMalformed("It is of the other mode, live or test, than STRIPE_SECRET_KEY.")
            metadata = named.get("metadata") or {}
            subject, key = "", ""
            if kind in CHARGE_EVENTS:
                subject, key = "charge", metadata.get(PAYMENT_KEY, "")
            elif kind in REFUND_EVENTS:
                subject, key = "refund", metadata.get(REFUND_KEY, "")
            about = {"object": named.get("object"), "id": named.get("id"), "status": named.get("status")}
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise CallbackMalformed("It is no event of Stripe's.") from error
        if not (_is_name(identity, EVENT_ID_LENGTH) and _is_name(kind, TYPE_LENGTH)):
            raise CallbackMalformed("Its `id` and `type` have to be names.")
        ours = _is_name(key, KEY_LENGTH)
        payload = {name: value for name, value in about.items() if _is_name(value, EVENT_ID_LENGTH)}
        return Callback(identity, kind, subject if ours else "", key if ours else "", payload)

    # --- Asking -------------------------------------------------------------------------------------------------------

    def _ask(self, call: Callable[[Any], Answer], *, key: str = "") -> Answer:
        """Make a call, under an idempotency key where it changes something.

        :raises GatewayUnavailableError: nobody can say what came of it.
        :raises stripe.CardError: the bank said no.
        :raises stripe.InvalidRequestError: Stripe refuses to do that at all.
        """
        if not self._secret_key:
            raise GatewayUnavailableError("STRIPE_SECRET_KEY is not set.")
        try:
            return call({"idempotency_key": key} if key else {})
        except (stripe.CardError, stripe.InvalidRequestError):
            raise
        except stripe.StripeError as error:
            if isinstance(error, stripe.AuthenticationError | stripe.PermissionError | stripe.IdempotencyError):
                logger.error("Stripe refuses us: %s", error)
            if key and not key.endswith(AGAIN) and _is_old_failure(error):
                # Its own failure is all that Stripe would say under this key for a day. Whoever asks has looked at the
                # intent, or at its refunds, and found nothing done.
                return self._ask(call, key=key + AGAIN)
            raise GatewayUnavailableError(f"{type(error).__name__}: {error.user_message}") from error


def _is_old_failure(error: stripe.StripeError) -> bool:
    replayed = {name.lower(): value for name, value in (error.headers or {}).items()}.get("idempotent-replayed")
    return (error.http_status or 0) >= 500 and replayed == "true"


def _not_ours(reference: str) -> GatewayUnavailableError:
    """Return why nothing can be said of a name that Stripe does not know: money may have moved elsewhere under it."""
    return GatewayUnavailableError(f"Stripe does not know {reference}. Was it made with another STRIPE_SECRET_KEY?")


def _outcome(intent: Mapping[str, Any]) -> Outcome | None:
    """Return what an intent says; None: it was never confirmed."""
    status, currency = intent["status"], intent["currency"].upper()
    is_paid = status == "succeeded"
    amount = from_smallest_units(intent["amount_received" if is_paid else "amount"], currency)
    if is_paid:
        return Outcome(State.SUCCEEDED, intent["id"], amount, currency)
    if status == "canceled":
        return Outcome(State.FAILED, intent["id"], amount, currency, _code_of(intent))
    if status in {"requires_payment_method", "requires_confirmation"}:
        return None
    if status == "requires_action":
        return Outcome(State.PENDING, intent["id"], amount, currency, action_url=_action_url(intent))
    return Outcome(State.PENDING, intent["id"], amount, currency, ask_again=BANK_TAKES_TIME)


def _refund_outcome(refund: Mapping[str, Any]) -> Outcome:
    currency = refund["currency"].upper()
    amount = from_smallest_units(refund["amount"], currency)
    states = {"succeeded": State.SUCCEEDED, "failed": State.FAILED, "canceled": State.FAILED}
    state = states.get(refund["status"], State.PENDING)
    code = (refund.get("failure_reason") or CANCELLED)[:CODE_LENGTH] if state is State.FAILED else ""
    return Outcome(state, refund["id"], amount, currency, code, ask_again=BANK_TAKES_TIME)


def _failed(order: ChargeOrder | RefundOrder, code: str) -> Outcome:
    return Outcome(State.FAILED, order.reference, order.amount, order.currency, code)


def _action_url(intent: Mapping[str, Any]) -> str:
    """Return where the person goes: to their bank, or to instructions for a transfer or voucher."""
    action = intent.get("next_action") or {}
    details = action.get(action.get("type")) or {}
    names = ("url", "hosted_instructions_url", "hosted_voucher_url")
    return next((details[name] for name in names if details.get(name)), "")


def _code(error: stripe.CardError | stripe.InvalidRequestError) -> str:
    said = error.error.to_dict() if error.error else {}
    return _why(said) or (error.param and f"invalid_{error.param}"[:CODE_LENGTH]) or "invalid_request"


def _code_of(intent: Mapping[str, Any]) -> str:
    return _why(intent.get("last_payment_error") or {}) or CANCELLED


def _why(said: Mapping[str, Any]) -> str:
    """Return the bank's reason before Stripe's own."""
    return (said.get("decline_code") or said.get("code") or "")[:CODE_LENGTH]


def _verify(body: bytes, signature: str, secret: str) -> None:
    """Have Stripe's library check who wrote a body. It does not mind the future."""
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, settings.CALLBACK_TOLERANCE_SECONDS)
        moment = next(int(pair[1]) for part in signature.split(",") if (pair := part.split("=", 2))[0] == "t")
    except (stripe.SignatureVerificationError, UnicodeError, TypeError) as error:  # TypeError: no ASCII in the header
        raise CallbackRefused from error
    if moment > time.time() + settings.CALLBACK_TOLERANCE_SECONDS:
        raise CallbackRefused


def _is_name(value: Any, length: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= length and value.isprintable()


def make() -> StripeGateway:
    return StripeGateway(
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
        api_base=settings.STRIPE_API_BASE,
    )
