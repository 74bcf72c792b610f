"""The callback endpoint keeps what its gateway signed a moment ago, once, and refuses everything else unread."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from events.tests.factories import NOW
from payments.models import GatewayCallback
from payments.tests.callbacks import URL, a_body, post, signature
from payments.tests.factories import a_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

SECOND = timedelta(seconds=1)
BODY = a_body()


def refused(answer: Any, code: str, status: int = 400) -> bool:
    return (answer.status_code, answer.json()["code"], GatewayCallback.objects.count()) == (status, code, 0)


def test_a_signed_callback_is_kept_and_waits_for_a_worker() -> None:
    """PAY-2"""
    payment = a_payment()
    body = a_body(payment)

    answer = post(body)

    kept = GatewayCallback.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert (kept.gateway, kept.event_id, kept.type, kept.subject) == ("mock", "evt_1", "charge.succeeded", "charge")
    assert (kept.key, kept.payload) == (payment.gateway_key, json.loads(body))
    assert (kept.received_at, kept.next_attempt_at, kept.processed_at) == (NOW, NOW, None)


def test_a_repeat_is_taken_and_changes_nothing() -> None:
    """RELIABILITY C3"""
    first, other = a_body(), a_body(type_="charge.failed")

    assert [post(body).status_code for body in (first, first, other)] == [200, 200, 200]

    assert GatewayCallback.objects.get().type == "charge.succeeded"


def test_another_type_is_kept_and_ignored() -> None:
    body = json.dumps({"id": "evt_1", "type": "payout.created", "data": 7}).encode()

    assert post(body).status_code == 200

    kept = GatewayCallback.objects.get()
    assert (kept.result, kept.processed_at, kept.next_attempt_at) == ("ignored", NOW, None)


# --- Signatures -------------------------------------------------------------------------------------------------------

GOOD = "0" * 64
MOMENT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"t={MOMENT}",
        f"t={MOMENT},v1=",
        f"t={MOMENT},v1={GOOD}",
        f"v1={GOOD}",
        f"t=,v1={GOOD}",
        f"t=-5,v1={GOOD}",
        f"t=1e3,v1={GOOD}",
        f"t={'9' * 4000},v1={GOOD}",
        f"t=\u0663,v1={GOOD}".encode().decode("latin-1"),
        f"t={MOMENT},v1=\xff\xfe",
        "," * 2000,
        "=" * 2000,
    ],
)
def test_without_a_signature_nothing_is_read(header: str) -> None:
    """RELIABILITY E3"""
    assert refused(post(BODY, header), "invalid_signature")


def test_another_secret_is_refused() -> None:
    """RELIABILITY E3"""
    assert refused(post(BODY, signature(BODY, secret=b"guessed")), "invalid_signature")


def test_another_scheme_is_refused() -> None:
    """RELIABILITY E3: no way down to a weaker one."""
    header = signature(BODY)

    for scheme in ("v0", "V1", " v1 ", "v11"):
        assert refused(post(BODY, header.replace("v1", scheme)), "invalid_signature")


def test_each_byte_counts() -> None:
    """RELIABILITY E3"""
    header = signature(BODY)
    for position in range(0, len(BODY), 7):
        changed = bytearray(BODY)
        changed[position] ^= 1
        assert refused(post(bytes(changed), header), "invalid_signature")
    assert refused(post(BODY + b" ", header), "invalid_signature")
    assert refused(post(BODY[:-1], header), "invalid_signature")


def test_the_moment_is_signed_too() -> None:
    """RELIABILITY E3: an old callback does not become new by saying so."""
    old = signature(BODY, at=NOW - timedelta(hours=1))

    assert refused(post(BODY, old.replace(str(MOMENT - 3600), str(MOMENT))), "invalid_signature")


@pytest.mark.parametrize(("seconds", "status"), [(-301, 400), (-300, 200), (0, 200), (300, 200), (301, 400)])
def test_a_signature_is_good_for_five_minutes(seconds: int, status: int) -> None:
    """RELIABILITY E3"""
    answer = post(BODY, signature(BODY, at=NOW + seconds * SECOND))

    assert (answer.status_code, GatewayCallback.objects.count()) == (status, int(status == 200))


def test_a_replay_is_refused_when_its_time_is_over_and_harmless_before() -> None:
    """RELIABILITY C3, E3: whoever recorded one can only say again what was said."""
    header = signature(BODY)
    assert post(BODY, header).status_code == 200

    with time_machine.travel(NOW + 300 * SECOND, tick=False):
        assert post(BODY, header).status_code == 200
    with time_machine.travel(NOW + 301 * SECOND, tick=False):
        assert post(BODY, header).json()["code"] == "invalid_signature"

    assert GatewayCallback.objects.get().received_at == NOW


def test_one_of_several_signatures_suffices() -> None:
    """While a secret is being changed, a gateway signs with both."""
    header = signature(BODY).replace(",v1=", f",v1={GOOD},v0=x,v1=")

    assert post(BODY, header).status_code == 200


def test_a_secret_of_its_own_is_used(settings: Any) -> None:
    derived = signature(BODY)
    settings.MOCK_GATEWAY_CALLBACK_SECRET = "a secret that was told to the gateway"

    assert refused(post(BODY, derived), "invalid_signature")
    assert post(BODY, signature(BODY, secret=b"a secret that was told to the gateway")).status_code == 200


def test_a_signature_in_the_body_or_the_address_is_none() -> None:
    answer = post(BODY, "", url=f"{URL}?EventHub-Signature={signature(BODY)}")

    assert refused(answer, "invalid")


# --- What is signed, and still makes no sense -------------------------------------------------------------------------

NONSENSE = {
    "nothing": b"",
    "no JSON": b"paid",
    "half of it": b'{"id": "evt_1"',
    "a list": b"[]",
    "a list of callbacks": b'[{"id": "evt_1", "type": "charge.succeeded", "data": {"key": "x"}}]',
    "a word": b'"evt_1"',
    "null": b"null",
    "a number": b"17",
    "not a number": b"NaN",
    "endless": b'{"id": "evt_1", "type": "x", "n": 1e999}',
    "no id": b'{"type": "charge.succeeded", "data": {"key": "x"}}',
    "an empty id": b'{"id": "", "type": "charge.succeeded", "data": {"key": "x"}}',
    "a number as id": b'{"id": 7, "type": "charge.succeeded", "data": {"key": "x"}}',
    "an id beyond all measure": b'{"id": "' + b"e" * 121 + b'", "type": "charge.succeeded", "data": {"key": "x"}}',
    "no type": b'{"id": "evt_1", "data": {"key": "x"}}',
    "a list as type": b'{"id": "evt_1", "type": ["charge.succeeded"], "data": {"key": "x"}}',
    "a type beyond all measure": b'{"id": "evt_1", "type": "' + b"t" * 81 + b'", "data": {"key": "x"}}',
    "no data": b'{"id": "evt_1", "type": "charge.succeeded"}',
    "a word as data": b'{"id": "evt_1", "type": "charge.succeeded", "data": "x"}',
    "no key": b'{"id": "evt_1", "type": "charge.succeeded", "data": {}}',
    "an object as key": b'{"id": "evt_1", "type": "charge.succeeded", "data": {"key": {"a": 1}}}',
    "a key beyond all measure": b'{"id": "e", "type": "refund.failed", "data": {"key": "' + b"k" * 65 + b'"}}',
    "NUL": b'{"id": "evt_1", "type": "charge.succeeded", "data": {"key": "x"}, "n": "\\u0000"}',
    "NUL in the id": b'{"id": "evt\\u0000", "type": "charge.succeeded", "data": {"key": "x"}}',
    "a lone surrogate": b'{"id": "evt_\\ud800", "type": "charge.succeeded", "data": {"key": "x"}}',
    "no UTF-8": b'{"id": "evt_\xff", "type": "charge.succeeded", "data": {"key": "x"}}',
    "an abyss": b'{"id": "evt_1", "type": "x", "data": ' + b"[" * 100 + b"]" * 100 + b"}",
    "a deep abyss": b"[" * 100_000,
    "UTF-16": '{"id": "evt_1", "type": "x"}'.encode("utf-16"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_signed_nonsense_is_refused(name: str) -> None:
    """RELIABILITY E3, I3"""
    assert refused(post(NONSENSE[name]), "invalid_callback")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["id", "type", "data", "key"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["key"]), inner, max_size=4)
    ),
    max_leaves=12,
)
ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=130) | JSON,
        "type": st.sampled_from(["charge.succeeded", "refund.failed", "charge", "payout.made"]) | JSON,
        "data": st.fixed_dictionaries({"key": st.text(max_size=70) | JSON}) | JSON,
        "more": JSON,
    },
)


@pytest.mark.filterwarnings("ignore")
@hypothesis_settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(body=st.binary(max_size=400) | JSON | ALMOST, rightly_signed=st.booleans())
@example(body={"id": "\x00", "type": "charge.x", "data": {"key": "x"}}, rightly_signed=True)
@example(body={"id": "evt", "type": "x", "more": 10**400}, rightly_signed=True)
@example(body={"id": "evt", "type": "charge.succeeded", "data": {"key": "x"}}, rightly_signed=True)
def test_bodies_that_nobody_thought_of_are_taken_or_refused(body: Any, rightly_signed: bool) -> None:
    """RELIABILITY E3, I2: 200 or 400, and no 5xx."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    answer = post(raw, None if rightly_signed else signature(raw, secret=b"guessed"))

    assert answer.status_code in ({200, 400} if rightly_signed else {400})


def test_what_is_too_large_is_refused() -> None:
    limit = 262_144
    start, end = b'{"id": "evt_1", "type": "x", "pad": "', b'"}'
    fitting = start + b"p" * (limit - len(start) - len(end)) + end

    assert refused(post(fitting + b" "), "payload_too_large", 413)
    assert post(fitting).status_code == 200


# --- Where, and how ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["paypal", "by_hand", "Mock", "mock%00", "payments.gateways.mock", "x" * 300])
def test_an_unknown_gateway_is_not_found(name: str) -> None:
    assert refused(post(BODY, url=f"/api/payments/callbacks/{name}/"), "not_found", 404)


def test_the_mock_gateway_is_not_found_where_another_one_is_used(settings: Any) -> None:
    settings.PAYMENT_GATEWAY = "stripe"
    assert refused(post(BODY), "not_found", 404)

    settings.MOCK_GATEWAY_CALLBACK_URL = "http://localhost/"  # payments that began at it are still on their way
    assert post(BODY).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_callbacks_are_posted(method: str) -> None:
    assert getattr(APIClient(), method)(URL).status_code == 405


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", "x", ""])
def test_neither_content_type_nor_accept_matter(content_type: str) -> None:
    """Whatever a gateway sends besides, the signature decides."""
    headers = {"EventHub-Signature": signature(BODY), "Accept": "application/xml"}

    answer = APIClient().generic("POST", URL, BODY.decode(), content_type, headers=headers)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_bad_token_does_not_close_the_door() -> None:
    assert post(BODY, Authorization="Bearer nonsense").status_code == 200


def test_no_limit_is_counted(settings: Any) -> None:
    settings.ANONYMOUS_RATE = 1

    assert [post(a_body(event_id=f"evt_{number}")).status_code for number in range(5)] == [200] * 5


def test_a_database_that_is_away_sends_the_gateway_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """503, so that the gateway comes again."""

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(GatewayCallback, "save", gone)

    answer = post(BODY)

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer["Retry-After"] == "2"
