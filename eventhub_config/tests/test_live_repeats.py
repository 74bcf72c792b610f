"""The same request many times at once over HTTP: it happens once, and what was given back can be had again."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.utils import timezone

from bookings.models import Booking
from eventhub_config.tests.crowd.clients import Client
from eventhub_config.tests.crowd.history import Answer, History
from eventhub_config.tests.live import own_queue, web
from eventhub_config.tests.test_live_races import all_at_once, findings, person
from events.models import Event
from events.tests.factories import an_event
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def seats_taken(event: Event) -> int:
    return Event.objects.values_list("seats_taken", flat=True).get(pk=event.pk)


def counted(answers: list[Answer]) -> Counter[tuple[int, str]]:
    return Counter((answer.status, answer.code) for answer in answers)


def test_twenty_cancellations_of_one_booking_free_its_seats_once(process_environment: dict[str, str]) -> None:
    """BKG-4, RELIABILITY A9: with money behind it, too."""
    event = an_event(capacity=5, price=10, now=timezone.now())
    with web(own_queue(process_environment), workers=4) as server:
        buyer, other = person(server.url), person(server.url)
        kept = other.send("POST", "/api/bookings/", {"event": event.pk})
        tickets = [{"ticket_type": kept.body["tickets"][0]["ticket_type"], "quantity": 3}]
        booking = buyer.send("POST", "/api/bookings/", {"event": event.pk, "tickets": tickets}).body["id"]
        assert seats_taken(event) == 4

        answers = all_at_once([lambda: buyer.send("POST", f"/api/bookings/{booking}/cancel/")] * 20)

    told = Counter((answer.status, answer.code) for answer in answers)
    assert told == {(200, ""): 1, (409, "invalid_transition"): 19}
    assert seats_taken(event) == 1
    assert findings() == []


def test_fifty_bookings_of_one_person_make_one(process_environment: dict[str, str]) -> None:
    """BKG-1, RELIABILITY A10"""
    event = an_event(now=timezone.now())
    with web(own_queue(process_environment), workers=4) as server:
        buyer = person(server.url)

        answers = all_at_once([lambda: buyer.send("POST", "/api/bookings/", {"event": event.pk})] * 50)

    told = Counter((answer.status, answer.code) for answer in answers)
    assert told == {(201, ""): 1, (409, "already_booked"): 49}
    assert (Booking.objects.count(), seats_taken(event)) == (1, 1)
    assert findings() == []


def test_fifty_bookings_under_one_key_make_one_and_answer_with_it(process_environment: dict[str, str]) -> None:
    """PAY-6, RELIABILITY C10: whoever is not answered with the booking is told to wait for it."""
    event = an_event(price=10, now=timezone.now())
    with web(own_queue(process_environment), workers=4) as server:
        buyer = Client(server.url, a_user(), History([]))
        headers = {"Idempotency-Key": "the-only-one"}
        body = {"event": event.pk}
        once: Callable[[], Answer] = lambda: buyer.send("POST", "/api/bookings/", body, headers)  # noqa: E731

        answers = all_at_once([once] * 50)
        answers.append(once())

    told = counted(answers)
    assert set(told) <= {(201, ""), (409, "request_in_progress")}
    assert {answer.body["id"] for answer in answers if answer.status == 201} == {Booking.objects.get().pk}
    assert [answer.replayed for answer in answers if answer.status == 201].count(False) == 1
    assert answers[-1].replayed
    assert seats_taken(event) == 1
    assert findings() == []


def test_what_was_given_back_can_be_booked_again(process_environment: dict[str, str]) -> None:
    """BKG-2, RELIABILITY A10: five times over, by a person who competes with nobody."""
    event = an_event(capacity=1, now=timezone.now())
    with web(own_queue(process_environment)) as server:
        buyer = person(server.url)
        for _ in range(5):
            booked = buyer.send("POST", "/api/bookings/", {"event": event.pk})
            cancelled = buyer.send("POST", f"/api/bookings/{booked.body['id']}/cancel/")
            assert (booked.status, cancelled.status) == (201, 200)
        last = buyer.send("POST", "/api/bookings/", {"event": event.pk})

    assert last.status == 201
    assert sorted(Booking.objects.values_list("status", flat=True)) == ["cancelled"] * 5 + ["confirmed"]
    assert seats_taken(event) == 1
    assert findings() == []
