"""Waking workers: after the commit, once, and never for long."""

import base64
import json
import time

import pytest
from celery import shared_task
from django.conf import settings
from django.db import transaction

from eventhub_config.development.embedded import Server
from eventhub_config.shared.dispatch import enqueue, enqueue_on_commit
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.redis_circuit import circuit, client
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.tests.races import at_once
from users.services import register_user
from users.tests.factories import NOW, PASSWORD, a_client

pytestmark = pytest.mark.django_db(transaction=True)

AT_MOST_SECONDS = 0.5


@shared_task(name="tests.nothing")
def nothing(**_: object) -> None:
    pass


def queued() -> list[dict[str, object]]:
    """Return the messages that wait for a worker, oldest first."""
    queue = f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}{settings.CELERY_TASK_DEFAULT_QUEUE}"
    waiting: list[bytes] = client().lrange(queue, 0, -1)  # type: ignore[assignment]
    return [json.loads(message) for message in reversed(waiting)]


def names() -> list[object]:
    return [message["headers"]["task"] for message in queued()]  # type: ignore[index]


def arguments() -> list[tuple[list[object], dict[str, object]]]:
    """Return what each of the waiting messages hands to its task."""
    return [tuple(json.loads(base64.b64decode(str(message["body"])))[:2]) for message in queued()]


def test_sends_after_the_commit(redis_to_disturb: Server) -> None:
    @unit_of_work
    def work() -> None:
        enqueue_on_commit(nothing, row_id=7)
        assert names() == []

    work()

    assert names() == ["tests.nothing"]


def test_sends_nothing_for_what_was_undone(redis_to_disturb: Server) -> None:
    @unit_of_work
    def work() -> None:
        enqueue_on_commit(nothing, row_id=7)
        raise InvalidTransition

    with pytest.raises(InvalidTransition):
        work()

    assert names() == []


def test_sends_at_once_outside_of_a_transaction(redis_to_disturb: Server) -> None:
    enqueue_on_commit(nothing, row_id=7)

    assert names() == ["tests.nothing"]


def test_sends_for_an_inner_savepoint_only_if_it_stood(redis_to_disturb: Server) -> None:
    @unit_of_work
    def refused() -> None:
        enqueue_on_commit(nothing, row_id=2)
        raise InvalidTransition

    @unit_of_work
    def work() -> None:
        enqueue_on_commit(nothing, row_id=1)
        with pytest.raises(InvalidTransition), transaction.atomic():
            refused()

    work()

    assert len(names()) == 1


def test_a_message_is_ids_by_keyword(redis_to_disturb: Server) -> None:
    enqueue(nothing, row_id=7)

    assert arguments() == [([], {"row_id": 7})]


def test_the_id_of_the_request_travels_along(redis_to_disturb: Server) -> None:
    body = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    a_client().post("/api/users/", body, HTTP_X_REQUEST_ID="request-of-ada")

    welcome, verification = queued()
    for message in (welcome, verification):
        assert message["headers"]["task"] == "notifications.deliver_message"  # type: ignore[index]
        assert message["headers"]["eventhub_request_id"] == "request-of-ada"  # type: ignore[index]


def test_a_message_that_cannot_be_written_fails_nobody(
    redis_to_disturb: Server, caplog: pytest.LogCaptureFixture
) -> None:
    @unit_of_work
    def work() -> str:
        enqueue_on_commit(nothing, thing=object())
        enqueue_on_commit(nothing, row_id=7)
        return "done"

    assert work() == "done"
    assert len(names()) == 1
    assert "Error calling" in caplog.text


# --- The broker is away -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disturb", ["freeze", "kill"])
@pytest.mark.parametrize("warm", [True, False], ids=["connected", "not_connected_yet"])
def test_a_broker_that_is_away_holds_nobody_up(redis_to_disturb: Server, disturb: str, warm: bool) -> None:
    """RELIABILITY F3, L11"""
    if warm:
        assert enqueue(nothing, row_id=1)
    getattr(redis_to_disturb, disturb)()

    started = time.monotonic()
    sent = enqueue(nothing, row_id=2)
    first = time.monotonic() - started
    for _ in range(100):
        assert not enqueue(nothing, row_id=3)

    assert not sent
    assert first < AT_MOST_SECONDS
    assert time.monotonic() - started < 2 * AT_MOST_SECONDS


@pytest.mark.parametrize("disturb", ["freeze", "kill"])
def test_it_holds_nobody_up_when_many_come_at_once(redis_to_disturb: Server, disturb: str) -> None:
    assert enqueue(nothing, row_id=1)
    getattr(redis_to_disturb, disturb)()
    waited = []

    def send() -> bool:
        started = time.monotonic()
        sent = enqueue(nothing, row_id=2)
        waited.append(time.monotonic() - started)
        return sent

    assert at_once([send] * 32) == [False] * 32
    assert max(waited) < 2 * AT_MOST_SECONDS  # 32 threads share two cores here


def test_many_that_send_at_once_are_told_what_the_broker_took(redis_to_disturb: Server) -> None:
    results = at_once([lambda: enqueue(nothing, row_id=1)] * 32)

    # On a busy machine some may wait for a connection for too long; theirs are found by a sweep.
    assert set(results) <= {True, False}
    assert len(names()) >= results.count(True) >= 1


@pytest.mark.parametrize("disturb", ["freeze", "kill"])
def test_what_was_done_stands_although_nobody_was_woken(redis_to_disturb: Server, disturb: str) -> None:
    getattr(redis_to_disturb, disturb)()

    user = register_user(username="ada", email="ada@example.com", password=PASSWORD, verified=True, now=NOW)

    from notifications.models import Notification

    assert Notification.objects.get(user=user).status == Notification.Status.UNSENT


def test_sends_again_when_it_is_back(redis_to_disturb: Server) -> None:
    enqueue(nothing, row_id=1)
    redis_to_disturb.freeze()
    assert not enqueue(nothing, row_id=2)

    redis_to_disturb.resume()
    assert not enqueue(nothing, row_id=3)  # the breaker is open
    circuit.reset()

    assert enqueue(nothing, row_id=4)


def test_sends_again_after_a_restart_that_lost_everything(redis_to_disturb: Server) -> None:
    enqueue(nothing, row_id=1)
    redis_to_disturb.kill()
    redis_to_disturb.start()

    sent = [enqueue(nothing, row_id=2)]
    circuit.reset()
    sent.append(enqueue(nothing, row_id=3))

    assert sent[-1]
    assert names() == ["tests.nothing"] * sum(sent)
