"""Callbacks of the mock gateway for tests: signed as it signs, or in every wrong way."""

import json
from datetime import datetime
from typing import Any

from rest_framework.test import APIClient

from events.tests.factories import NOW
from payments.models import MockGatewayMessage, Payment
from payments.signing import mock_gateway_secret, sign

URL = "/api/payments/callbacks/mock/"


def a_body(payment: Payment | None = None, *, event_id: str = "evt_1", type_: str = "charge.succeeded") -> bytes:
    key = payment.gateway_key if payment else "nobody's"
    return json.dumps({"id": event_id, "type": type_, "data": {"key": key}}).encode()


def signature(body: bytes, *, at: datetime = NOW, secret: bytes | None = None) -> str:
    return sign(body, secret=secret or mock_gateway_secret(), at=at)


def post(body: bytes, header: str | None = None, *, url: str = URL, **headers: str) -> Any:
    """Send a callback, rightly signed unless ``header`` says otherwise (empty: no signature at all)."""
    header = signature(body) if header is None else header
    signed = {"EventHub-Signature": header} if header else {}
    # The stubs want text; a body is bytes.
    return APIClient().generic("POST", url, body, "application/json", headers=signed | headers)  # type: ignore[arg-type]


def hand_over() -> list[int]:
    """Post what the mock gateway has to tell, in its order and through the API; return the statuses."""
    waiting = MockGatewayMessage.objects.filter(delivered_at=None).order_by("pk")
    return [post(message.body.encode()).status_code for message in waiting]
