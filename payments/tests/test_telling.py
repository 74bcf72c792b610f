"""The mock gateway posts its callbacks over HTTP, signed, until they are taken."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from events.tests.factories import NOW
from payments.jobs import messages_of_the_mock_gateway
from payments.models import MockGatewayMessage
from payments.services.mock_gateway import tell
from payments.signing import mock_gateway_secret, verify
from payments.tests.factories import a_processed_payment
from payments.tests.listener import Listener, listener

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def ear(settings: Any) -> Iterator[Listener]:
    with listener() as server:
        settings.MOCK_GATEWAY_CALLBACK_URL = server.url
        yield server


def a_message() -> MockGatewayMessage:
    a_processed_payment()
    return MockGatewayMessage.objects.get()


def test_posts_what_it_has_to_tell_and_signs_it(ear: Listener, settings: Any) -> None:
    """PAY-2"""
    settings.PUBLIC_URL = "https://events.example.org"
    message = a_message()

    tell(message_id=message.pk, now=NOW)

    headers, body = ear.heard[0]
    assert body.decode() == message.body
    assert (headers["content-type"], headers["host"]) == ("application/json", "events.example.org")
    assert headers["x-forwarded-proto"] == "https"
    verify(headers["eventhub-signature"], body, secret=mock_gateway_secret(), now=NOW)
    message.refresh_from_db()
    assert (message.delivered_at, message.answer, message.next_attempt_at) == (NOW, "200", None)


def test_tells_what_was_taken_no_more(ear: Listener) -> None:
    message = a_message()

    for _ in range(3):
        tell(message_id=message.pk, now=NOW)

    assert len(ear.heard) == 1
    assert list(messages_of_the_mock_gateway(NOW + timedelta(days=1))) == []


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 413, 500, 503])
def test_tells_again_what_was_not_taken(ear: Listener, status: int) -> None:
    """A redirect is no answer either, and is not followed."""
    message = a_message()
    ear.status = status

    tell(message_id=message.pk, now=NOW)
    message.refresh_from_db()
    assert (message.answer, message.delivered_at, len(ear.heard)) == (str(status), None, 1)
    assert message.next_attempt_at == NOW + timedelta(seconds=20)

    ear.status = 204
    assert list(messages_of_the_mock_gateway(NOW + timedelta(seconds=20))) == [message.pk]
    tell(message_id=message.pk, now=NOW + timedelta(seconds=20))
    message.refresh_from_db()
    assert (message.answer, len(ear.heard)) == ("204", 2)


def test_waits_five_seconds_for_an_answer_and_no_longer(ear: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.mock_gateway.POST_SECONDS", 0.1)
    message = a_message()
    ear.seconds = 1

    tell(message_id=message.pk, now=NOW)

    message.refresh_from_db()
    assert (message.answer, message.attempts) == ("TimeoutError('timed out')", 1)


def test_goes_on_though_nobody_is_there(ear: Listener, settings: Any) -> None:
    message = a_message()
    settings.MOCK_GATEWAY_CALLBACK_URL = "http://127.0.0.1:9/nobody"

    for hour in range(10):
        tell(message_id=message.pk, now=NOW + timedelta(hours=hour))

    message.refresh_from_db()
    assert (message.attempts, message.parked_at) == (8, NOW + timedelta(hours=7))
    assert "refused" in message.last_error


def test_tells_nobody_when_nobody_is_to_hear_any_more(ear: Listener, settings: Any) -> None:
    message = a_message()
    settings.MOCK_GATEWAY_CALLBACK_URL = ""

    tell(message_id=message.pk, now=NOW)

    message.refresh_from_db()
    assert (message.attempts, ear.heard) == (0, [])
    assert (message.next_attempt_at, message.delivered_at) == (None, None)
    assert list(messages_of_the_mock_gateway(NOW)) == []
