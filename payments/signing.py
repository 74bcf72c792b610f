"""Signatures of callbacks: an HMAC over the moment and the body, so that neither can be changed or kept for later.

``EventHub-Signature: t=<Unix time>,v1=<hex>`` with HMAC-SHA256 over ``<t>.<body>``. Several ``v1`` may stand there
while a secret is being changed; other schemes are passed over.
Source: the scheme of Stripe's webhooks, https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.utils.crypto import salted_hmac

from payments.gateway import CallbackRefused

HEADER = "EventHub-Signature"


def sign(body: bytes, *, secret: bytes, at: datetime) -> str:
    """Return the header that tells who wrote a body, and when."""
    moment = str(int(at.timestamp()))
    return f"t={moment},v1={_digest(body, moment, secret)}"


def verify(header: str, body: bytes, *, secret: bytes, now: datetime) -> None:
    """Let a body pass that whoever knows the secret signed a short while ago.

    :raises CallbackRefused: anybody else did, or they did it too long ago or in the future.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    moments = [value for name, _, value in parts if name == "t"]
    if len(moments) != 1 or not (moments[0].isascii() and moments[0].isdigit()) or len(moments[0]) > 12:
        raise CallbackRefused
    expected = _digest(body, moments[0], secret).encode()
    given = [value.encode(errors="replace") for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise CallbackRefused
    if abs(now.timestamp() - int(moments[0])) > settings.CALLBACK_TOLERANCE_SECONDS:
        raise CallbackRefused


def mock_gateway_secret() -> bytes:
    """Return what the mock gateway signs with: its own secret, or one that follows from this installation's key."""
    if settings.MOCK_GATEWAY_CALLBACK_SECRET:
        return str(settings.MOCK_GATEWAY_CALLBACK_SECRET).encode()
    return salted_hmac("payments.mock-gateway.callbacks", "secret", algorithm="sha256").digest()


def _digest(body: bytes, moment: str, secret: bytes) -> str:
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
