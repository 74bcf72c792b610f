"""Callbacks among real processes: over HTTP from a worker to gunicorn, repeated, in parallel, and without Redis."""

import http.client
import json
import subprocess
import sys
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.utils import timezone

from bookings.models import Booking
from bookings.tests.factories import a_booking
from bookings.tests.test_overselling import without_constraint
from eventhub_config.development.embedded import Server
from eventhub_config.shared.integrity import all_checks
from eventhub_config.tests.live import own_queue, wait_until, web, worker
from eventhub_config.tests.races import at_once
from payments.gateway import Callback, gateway
from payments.models import GatewayCallback, InvoiceRequest, MockGatewayEntry, MockGatewayMessage, Payment
from payments.services import process_callback, start_payment, take_callback
from payments.services.charging import order_of
from payments.tests.callbacks import URL, a_body, signature

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def post(url: str, body: bytes, header: str) -> tuple[int, dict[str, Any]]:
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        link.request("POST", URL, body, {"Content-Type": "application/json", "EventHub-Signature": header})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


def a_payment_of_now(token: str = "tok_success") -> Payment:
    now = timezone.now()
    booking = a_booking(price=25, now=now)
    return start_payment(user=booking.user, booking_id=booking.pk, token=token, now=now)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def is_paid(payment: Payment) -> bool:
    payment.refresh_from_db()
    return payment.status == "completed"


def test_a_payment_is_completed_by_its_callback_alone(process_environment: dict[str, str]) -> None:
    """PAY-2, RELIABILITY C5: its own worker died after the charge."""
    environment = own_queue(process_environment)
    payment = a_payment_of_now("tok_duplicate_callback")
    Payment.objects.update(next_attempt_at=None)  # nobody else will ask
    with web(environment) as server:
        environment["MOCK_GATEWAY_CALLBACK_URL"] = f"{server.url}{URL}"
        with worker(environment) as working:
            script = (
                "import django; django.setup();"
                "from payments.gateway import gateway; from payments.models import Payment;"
                "from payments.services.charging import order_of;"
                "gateway('mock').charge(order_of(Payment.objects.select_related('booking').get()))"
            )
            _run(script, environment)
            wait_until(lambda: is_paid(payment))
            wait_until(lambda: MockGatewayMessage.objects.filter(delivered_at=None).count() == 0)
            wait_until(lambda: InvoiceRequest.objects.filter(invoice=None).count() == 0)
        assert "Traceback" not in working.output()
        assert "Traceback" not in server.output()

    assert Booking.objects.get().status == "confirmed"
    assert (MockGatewayMessage.objects.count(), GatewayCallback.objects.get().result) == (3, "applied")
    assert findings() == []


def test_the_same_callback_twenty_times_at_once_is_kept_once(process_environment: dict[str, str]) -> None:
    """RELIABILITY C3, E3"""
    payment = a_payment_of_now()
    _charge(payment)
    body = a_body(payment)
    header = signature(body, at=timezone.now())
    with web(own_queue(process_environment), workers=4) as server:
        answers = at_once([lambda: post(server.url, body, header)] * 20)

    assert Counter(status for status, _ in answers) == {200: 20}
    callback = GatewayCallback.objects.get()
    at_once([lambda: process_callback(callback_id=callback.pk, now=timezone.now())] * 20)
    callback.refresh_from_db()
    assert (callback.result, is_paid(payment)) == ("applied", True)
    assert MockGatewayEntry.objects.count() == InvoiceRequest.objects.count() == 1


def test_without_its_constraint_it_would_be_kept_twenty_times() -> None:
    """The control: nothing but the database keeps the twenty apart from one another."""
    callback = Callback("evt_1", "charge.succeeded", "charge", "nobody's", {})
    with without_constraint(GatewayCallback, "payments_callback_once"):
        at_once([lambda: take_callback(gateway="mock", callback=callback, now=timezone.now())] * 20)
        kept = GatewayCallback.objects.count()
        GatewayCallback.objects.all().delete()

    assert kept == 20


def test_a_replay_after_redis_was_flushed_changes_nothing(
    process_environment: dict[str, str], own_valkey: Server
) -> None:
    """RELIABILITY C3, E3: what was seen before is known to the database, not to a cache."""
    payment = a_payment_of_now()
    _charge(payment)
    body = a_body(payment)
    header = signature(body, at=timezone.now())
    environment = own_queue({**process_environment, "REDIS_URL": own_valkey.url})
    with web(environment) as server, worker(environment):
        assert post(server.url, body, header)[0] == 200
        wait_until(lambda: is_paid(payment))
        wait_until(lambda: InvoiceRequest.objects.filter(invoice=None).count() == 0)

        redis.Redis.from_url(own_valkey.url).flushall()
        again = [post(server.url, body, header)[0] for _ in range(3)]
        own_valkey.stop()
        without_redis = [post(server.url, body, header)[0] for _ in range(3)]

    assert again + without_redis == [200] * 6
    assert (GatewayCallback.objects.count(), MockGatewayEntry.objects.count()) == (1, 1)
    assert findings() == []


def test_nothing_wrong_is_taken_by_the_real_server(process_environment: dict[str, str]) -> None:
    """RELIABILITY E3: each refused, and no 5xx."""
    now = timezone.now()
    body, deep = a_body(), b"[" * 100_000
    wrong = {
        "unsigned": (body, ""),
        "another secret": (body, signature(body, at=now, secret=b"guessed")),
        "one byte changed": (body.replace(b"evt_1", b"evt_2"), signature(body, at=now)),
        "an old moment": (body, signature(body, at=now.replace(year=now.year - 1))),
        "no JSON": (b"\xff\x00", signature(b"\xff\x00", at=now)),
        "an abyss": (deep, signature(deep, at=now)),
        "nothing": (b"", signature(b"", at=now)),
    }
    with web(own_queue(process_environment)) as server:
        told = {name: post(server.url, *sent) for name, sent in wrong.items()}
        output = server.output()

    assert {name: (status, answer["code"]) for name, (status, answer) in told.items()} == {
        "unsigned": (400, "invalid_signature"),
        "another secret": (400, "invalid_signature"),
        "one byte changed": (400, "invalid_signature"),
        "an old moment": (400, "invalid_signature"),
        "no JSON": (400, "invalid_callback"),
        "an abyss": (400, "invalid_callback"),
        "nothing": (400, "invalid_callback"),
    }
    assert "Traceback" not in output
    assert GatewayCallback.objects.count() == 0


def _charge(payment: Payment) -> None:
    gateway("mock").charge(order_of(Payment.objects.select_related("booking").get(pk=payment.pk)))


def _run(script: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
