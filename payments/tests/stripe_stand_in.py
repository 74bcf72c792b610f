"""A stand-in for Stripe: real HTTP on this machine, with as much of its behaviour as our adapter meets.

It keeps PaymentIntents and refunds, honours idempotency keys as Stripe does (the same answer again, also if it was a
failure; other parameters are refused), and signs webhooks. Written from Stripe's public API reference.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET_KEY = "sk_test_stand_in"
WEBHOOK_SECRET = "whsec_stand_in"

VISA = "pm_card_visa"
DECLINED = "pm_card_visa_chargeDeclinedInsufficientFunds"
THREE_D_SECURE = "pm_card_authenticationRequired"
BANK_DEBIT = "pm_usBankAccount"
REFUND_PENDS = "pm_card_pendingRefund"

Answer = tuple[int, dict[str, Any]]
Params = dict[str, str]


class RefusedError(Exception):
    def __init__(self, status: int, **error: Any) -> None:
        super().__init__(error)
        self.answer: Answer = (status, {"error": error})


@dataclass
class Fault:
    """Something that happens to the next request whose method and path it fits: "POST /confirm"."""

    at: str
    kind: str  # "drop": done, and the answer is lost; "500": not done; "429"; "slow"


@dataclass
class StripeStandIn:
    """Stripe's books, and how it behaves next."""

    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    kept: dict[str, tuple[str, Params, Answer]] = field(default_factory=dict)
    address: str = ""
    bank: str = "https://hooks.stripe.com/redirect"
    lock: threading.RLock = field(default_factory=threading.RLock)

    # --- What the tests do to it --------------------------------------------------------------------------------------

    def fails_at(self, at: str, kind: str, times: int = 1) -> None:
        self.faults += [Fault(at, kind)] * times

    def a_day_passes(self) -> None:
        """Forget idempotency keys, as Stripe does."""
        self.kept.clear()

    def the_person_approves(self, intent_id: str) -> None:
        self._succeed(self.intents[intent_id])

    def the_person_fails(self, intent_id: str) -> None:
        self._decline(self.intents[intent_id], code="payment_intent_authentication_failure")

    def the_bank_pays(self, intent_id: str) -> None:
        self._succeed(self.intents[intent_id])

    def the_refund_ends(self, refund_id: str, *, well: bool) -> None:
        refund = self.refunds[refund_id]
        refund["status"] = "succeeded" if well else "failed"
        if not well:
            refund["failure_reason"] = "expired_or_canceled_card"
        self._tell("refund.updated" if well else "refund.failed", refund)

    def wait_until(self, is_so: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it never came to that"
            time.sleep(0.02)

    @property
    def charged(self) -> int:
        """Return what came in, in smallest units."""
        return sum(intent["amount_received"] for intent in self.intents.values())

    # --- What it does -------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, params: Params, key: str) -> tuple[Answer, bool]:
        """Return the answer, and whether it is an old one."""
        with self.lock:
            if key in self.kept and method == "POST":
                old_path, old_params, old = self.kept[key]
                if (old_path, old_params) != (path, params):
                    return (400, {"error": {"type": "idempotency_error", "message": "Other parameters."}}), False
                return old, True
            fault = self.fault(f"{method} {path}", "500")
            try:
                if fault is not None:
                    raise RefusedError(500, type="api_error", message="Something went wrong on Stripe's end.")
                answer = 200, self._act(method, path, params)
            except RefusedError as refusal:
                answer = refusal.answer
                if answer[0] in {400, 404}:  # nothing was begun, so nothing is kept
                    return answer, False
            if key and method == "POST":
                self.kept[key] = (path, params, json.loads(json.dumps(answer)))
            return json.loads(json.dumps(answer)), False

    def _act(self, method: str, path: str, params: Params) -> dict[str, Any]:
        parts = path.removeprefix("/v1/").split("/")
        match (method, *parts):
            case ("POST", "payment_intents"):
                return self._create_intent(params)
            case ("GET", "payment_intents", identity):
                return self._intent(identity)
            case ("POST", "payment_intents", identity, "confirm"):
                return self._confirm(self._intent(identity), params)
            case ("POST", "payment_intents", identity, "cancel"):
                return self._cancel(self._intent(identity))
            case ("POST", "refunds"):
                return self._create_refund(params)
            case ("GET", "refunds"):
                return self._list_refunds(params)
            case ("GET", "refunds", _) if parts[1] in self.refunds:
                return self.refunds[parts[1]]
        raise RefusedError(404, type="invalid_request_error", code="resource_missing", param="id", message=path)

    def _intent(self, identity: str) -> dict[str, Any]:
        if identity not in self.intents:
            message = f"No such payment_intent: '{identity}'"
            raise RefusedError(
                404, type="invalid_request_error", code="resource_missing", param="intent", message=message
            )
        return self.intents[identity]

    def _create_intent(self, params: Params) -> dict[str, Any]:
        amount, currency = int(params["amount"]), params["currency"]
        if currency != currency.lower():
            raise RefusedError(400, type="invalid_request_error", param="currency", message="Write it small.")
        if amount < 50 and currency == "eur":
            raise RefusedError(400, type="invalid_request_error", code="amount_too_small", param="amount", message="!")
        intent: dict[str, Any] = {
            "id": f"pi_{len(self.intents) + 1}",
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "description": params.get("description"),
            "last_payment_error": None,
            "livemode": False,
            "metadata": {key[9:-1]: value for key, value in params.items() if key.startswith("metadata[")},
            "next_action": None,
            "payment_method": None,
            "status": "requires_payment_method",
        }
        self.intents[intent["id"]] = intent
        self._tell("payment_intent.created", intent)
        return intent

    def _confirm(self, intent: dict[str, Any], params: Params) -> dict[str, Any]:
        if intent["status"] not in {"requires_payment_method", "requires_confirmation"}:
            raise RefusedError(
                400,
                type="invalid_request_error",
                code="payment_intent_unexpected_state",
                message=f"This PaymentIntent is {intent['status']}.",
            )
        token = params.get("payment_method") or params.get("confirmation_token")
        if token not in {VISA, DECLINED, THREE_D_SECURE, BANK_DEBIT, REFUND_PENDS, "ctoken_visa"}:
            param = "payment_method" if "payment_method" in params else "confirmation_token"
            raise RefusedError(
                404, type="invalid_request_error", code="resource_missing", param=param, message="No such thing."
            )
        if not params.get("return_url"):
            raise RefusedError(400, type="invalid_request_error", param="return_url", message="Missing.")
        intent["payment_method"] = token
        if token == DECLINED:
            self._decline(intent, code="card_declined", decline_code="insufficient_funds")
            error = intent["last_payment_error"] | {"payment_intent": json.loads(json.dumps(intent))}
            raise RefusedError(402, **error)
        if token == THREE_D_SECURE:
            intent["status"] = "requires_action"
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": self.bank, "return_url": params["return_url"]},
            }
            self._tell("payment_intent.requires_action", intent)
        elif token == BANK_DEBIT:
            intent["status"] = "processing"
            self._tell("payment_intent.processing", intent)
        else:
            self._succeed(intent)
        return intent

    def _succeed(self, intent: dict[str, Any]) -> None:
        assert intent["amount_received"] == 0, "charged twice"
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None, last_payment_error=None)
        self._tell("payment_intent.succeeded", intent)

    def _decline(self, intent: dict[str, Any], **why: str) -> None:
        error = {"type": "card_error", "message": "The card was declined.", **why}
        intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
        self._tell("payment_intent.payment_failed", intent)

    def _cancel(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] in {"succeeded", "canceled", "processing"}:
            raise RefusedError(
                400, type="invalid_request_error", code="payment_intent_unexpected_state", message="Too late."
            )
        intent.update(status="canceled", next_action=None)
        self._tell("payment_intent.canceled", intent)
        return intent

    def _create_refund(self, params: Params) -> dict[str, Any]:
        intent = self._intent(params["payment_intent"])
        amount = int(params["amount"])
        counting = [it for it in self._refunds_of(intent["id"]) if it["status"] not in {"failed", "canceled"}]
        if amount > intent["amount_received"] - sum(it["amount"] for it in counting):
            raise RefusedError(400, type="invalid_request_error", code="charge_already_refunded", message="Too much.")
        refund = {
            "id": f"re_{len(self.refunds) + 1}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "metadata": {key[9:-1]: value for key, value in params.items() if key.startswith("metadata[")},
            "payment_intent": intent["id"],
            "status": "pending" if intent["payment_method"] == REFUND_PENDS else "succeeded",
        }
        self.refunds[refund["id"]] = refund
        self._tell("refund.created", refund)
        return refund

    def _list_refunds(self, params: Params) -> dict[str, Any]:
        """Newest first and two at a time, whatever is asked for: nobody may rely on one page."""
        every = list(reversed(self._refunds_of(self._intent(params["payment_intent"])["id"])))
        ids = [refund["id"] for refund in every]
        start = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
        page = every[start : start + 2]
        return {"object": "list", "url": "/v1/refunds", "has_more": len(every) > start + 2, "data": page}

    def _refunds_of(self, intent_id: str) -> list[dict[str, Any]]:
        return [refund for refund in self.refunds.values() if refund["payment_intent"] == intent_id]

    def _tell(self, kind: str, about: dict[str, Any]) -> None:
        self.events.append(
            {
                "id": f"evt_{len(self.events) + 1}",
                "object": "event",
                "type": kind,
                "created": int(time.time()),
                "livemode": False,
                "data": {"object": json.loads(json.dumps(about))},
            }
        )

    def fault(self, request: str, *kinds: str) -> Fault | None:
        method, _, ending = request.partition(" ")
        for fault in self.faults:
            wanted, _, end = fault.at.partition(" ")
            if fault.kind in kinds and wanted == method and re.search(f"{end}$", ending):
                self.faults.remove(fault)
                return fault
        return None


def signed(event: dict[str, Any], *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, str]:
    """Return the body of a webhook and its Stripe-Signature header."""
    body = json.dumps(event).encode()
    return body, signature(body, secret=secret, at=at)


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    books: StripeStandIn

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        books, address = self.books, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        params = dict(parse_qsl(body or address.query, keep_blank_values=True))
        request = f"{method} {address.path}"
        with books.lock:
            books.requests.append(request)
            books.headers.append(dict(self.headers))
            early = books.fault(request, "429", "slow")
        if self.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            self._refuse(401, "Invalid API Key provided: sk_test_***")
        elif early is not None and early.kind == "429":
            self._refuse(429, "Too many requests.")
        else:
            time.sleep(1 if early else 0)
            (status, answer), is_old = books.answer(
                method, address.path, params, self.headers.get("Idempotency-Key", "")
            )
            with books.lock:
                lost = books.fault(request, "drop")
            if lost is not None:
                self.close_connection = True
            else:
                self._write(status, answer, **({"Idempotent-Replayed": "true"} if is_old else {}))

    def _refuse(self, status: int, message: str) -> None:
        self._write(status, {"error": {"type": "invalid_request_error", "message": message}})

    def _write(self, status: int, body: dict[str, Any], **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Request-Id": "req_1", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def stripe_stand_in() -> Iterator[StripeStandIn]:
    """Serve a stand-in on a port of its own."""
    books = StripeStandIn()
    handler = type("HandlerOfTheseBooks", (Handler,), {"books": books})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        books.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield books
        finally:
            server.shutdown()
