"""``Idempotency-Key``: sent again, a request does nothing again."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import Error, connection
from django.utils import timezone

from bookings.models import Booking
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.idempotency import IdempotencyKey, IdempotencyKeyReused, RequestInProgress
from eventhub_config.shared.models import IdempotencyRecord, RateLimitCounter
from eventhub_config.shared.transactions import unit_of_work
from eventhub_config.tests.races import at_once
from events.models import Event
from events.services import cancel_event
from events.tests.factories import a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client, a_client_of, a_user, tokens_for

KEY = "the-key-of-this-tab"


# --- Over HTTP --------------------------------------------------------------------------------------------------------


def now_published(**values: Any) -> Event:
    return an_event(now=timezone.now(), **values)


def book(user: CustomUser, event: Event, key: str = KEY, **more: Any) -> Any:
    return a_client_of(user).post("/api/bookings/", {"event": event.pk, **more}, HTTP_IDEMPOTENCY_KEY=key)


@pytest.mark.django_db
def test_the_same_request_again_is_answered_again() -> None:
    user, event = a_user(), now_published()

    first, second, third = (book(user, event) for _ in range(3))

    assert [it.status_code for it in (first, second, third)] == [201, 201, 201]
    assert [it.get("Idempotency-Replayed") for it in (first, second, third)] == [None, "true", "true"]
    assert first.json() == second.json() == third.json()
    assert Booking.objects.count() == 1
    event.refresh_from_db()
    assert event.seats_taken == 1


@pytest.mark.django_db
def test_the_order_of_keys_and_the_spaces_do_not_matter() -> None:
    user, event = a_user(), now_published()
    client = a_client_of(user)
    bodies = [f'{{"event": {event.pk}, "billing": {{}}}}', f'{{ "billing":{{}},\n"event":{event.pk}}}']

    answers = [
        client.generic("POST", "/api/bookings/", body, "application/json", HTTP_IDEMPOTENCY_KEY=KEY) for body in bodies
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_the_answer_tells_how_it_stands_now() -> None:
    user, event = a_user(), now_published()
    booked = book(user, event)
    a_client_of(user).post(f"/api/bookings/{booked.json()['id']}/cancel/", {})

    again = book(user, event)

    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["status"] == "cancelled"
    assert Booking.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("more", [{"billing": {"name": "Ada"}}, {"unknown": 1}])
def test_another_body_is_refused(more: dict[str, Any]) -> None:
    user, event = a_user(), now_published()
    book(user, event)

    answer = book(user, event, **more)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_another_key_is_another_request() -> None:
    user, event = a_user(), now_published()
    book(user, event)

    answer = book(user, event, key="another")

    assert (answer.status_code, answer.json()["code"]) == (409, "already_booked")


@pytest.mark.django_db
def test_another_person_may_have_the_same_key() -> None:
    event = now_published()

    answers = [book(a_user(), event) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Booking.objects.count() == 2


@pytest.mark.django_db
def test_another_address_may_have_the_same_key() -> None:
    user, event = a_user(), now_published()
    booked = book(user, event).json()

    answer = a_client_of(user).post(f"/api/bookings/{booked['id']}/cancel/", {}, HTTP_IDEMPOTENCY_KEY=KEY)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.get("Idempotency-Replayed") is None


@pytest.mark.django_db
def test_a_refusal_does_not_use_the_key_up() -> None:
    user, event = a_user(), now_published(capacity=0)

    refused = book(user, event)
    Event.objects.filter(pk=event.pk).update(capacity=1)
    booked = book(user, event)

    assert (refused.status_code, refused.json()["code"]) == (409, "sold_out")
    assert booked.status_code == 201
    assert booked.get("Idempotency-Replayed") is None


@pytest.mark.django_db
def test_an_invalid_request_does_not_use_the_key_up() -> None:
    user, event = a_user(), now_published()

    invalid = book(user, event, tickets=[])
    booked = book(user, event)

    assert (invalid.status_code, booked.status_code) == (400, 201)


@pytest.mark.django_db
def test_what_one_may_not_know_of_is_refused_like_nothing_with_a_key_too() -> None:
    user, draft = a_user(), a_draft(now=timezone.now())

    answers = [book(user, draft), a_client_of(user).post("/api/bookings/", {"event": 10**9}, HTTP_IDEMPOTENCY_KEY=KEY)]

    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_a_replay_needs_the_person_who_asked_first() -> None:
    """The key alone opens nothing: it is looked up among one's own."""
    user, event = a_user(), now_published()
    booked = book(user, event).json()
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=timezone.now())

    answer = book(a_user(), event)

    assert answer.status_code == 409
    assert str(booked["reference"]).encode() not in answer.content


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one() -> None:
    """RELIABILITY C10"""
    user, event = a_user(), now_published()
    tokens = tokens_for(user)

    def ask() -> tuple[int, str]:
        answer = a_client(tokens).post("/api/bookings/", {"event": event.pk}, HTTP_IDEMPOTENCY_KEY=KEY)
        return answer.status_code, answer.json().get("code", "booked")

    answers = at_once([ask] * 12)

    assert set(answers) <= {(201, "booked"), (409, "request_in_progress")}
    assert (201, "booked") in answers
    assert Booking.objects.count() == 1
    if connection.vendor == "sqlite":  # each waits its turn there
        assert set(answers) == {(201, "booked")}


# --- The key itself ---------------------------------------------------------------------------------------------------


@unit_of_work
def make(key: IdempotencyKey, meanwhile: Callable[[], Any] = lambda: None) -> RateLimitCounter:
    """Do what every service with a key does: look, make, record."""
    before = key.find(RateLimitCounter)
    if before is not None:
        return before
    made = RateLimitCounter.objects.create(key=uuid.uuid4().hex, count=0, expires_at=timezone.now())
    key.record(made, status=201, now=timezone.now())
    meanwhile()
    return made


def a_key(body: str = "a", user: int = 1) -> IdempotencyKey:
    return IdempotencyKey(user_id=user, route="POST /api/things/", key=KEY, body_hash=body)


@pytest.mark.django_db
def test_no_key_remembers_nothing() -> None:
    make(IdempotencyKey())
    make(IdempotencyKey())

    assert RateLimitCounter.objects.count() == 2
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_a_replay_says_the_first_status() -> None:
    first, second = a_key(), a_key()

    assert make(first) == make(second)

    assert (first.replayed, second.replayed) == (False, True)
    assert second.status == 201
    assert second.headers() == {"Idempotency-Replayed": "true"}
    with pytest.raises(IdempotencyKeyReused):
        make(a_key(body="b"))


@pytest.mark.django_db(transaction=True)
def test_a_failure_after_it_was_recorded_takes_it_back() -> None:
    def fail() -> None:
        raise InvalidTransition

    with pytest.raises(InvalidTransition):
        make(a_key(), fail)
    key = a_key()
    make(key)

    assert not key.replayed
    assert RateLimitCounter.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_in_flight_is_refused_at_once_or_waited_for() -> None:
    """PostgreSQL refuses the second one at once; SQLite has it wait for the first, and answers from its row."""
    working, finish = threading.Event(), threading.Event()

    def hold() -> None:
        working.set()
        assert finish.wait(30)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(_in_thread, lambda: make(a_key(), hold))
        assert working.wait(30)
        second = pool.submit(_in_thread, lambda: make(a_key()))
        if connection.vendor == "postgresql":
            with pytest.raises(RequestInProgress) as caught:
                second.result(timeout=10)  # the first one still works
            assert caught.value.headers == {"Retry-After": "1"}
            assert make(a_key(user=2)) is not None  # nobody else waits
        else:
            assert not second.done()
        finish.set()
        made = first.result()
        if connection.vendor == "sqlite":
            assert second.result() == made

    assert make(a_key()) == made


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_killed_leaves_the_key_free() -> None:
    """RELIABILITY C10: it must not stay "in progress" for ever."""

    def die() -> None:
        connection.connection.close()  # as a killed process does: nothing is said to the server
        raise ConnectionAbortedError

    with pytest.raises((ConnectionAbortedError, Error)):  # which of them depends on the database
        make(a_key(), die)
    connection.close()
    key = a_key()
    make(key)

    assert not key.replayed
    assert RateLimitCounter.objects.count() == 1


def _in_thread(call: Callable[[], Any]) -> Any:
    try:
        return call()
    finally:
        connection.close()
