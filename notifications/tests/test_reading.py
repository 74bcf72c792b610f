"""NTF-1: read and unread, one or all, and how many; through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from bookings.tests.factories import a_booking
from events.tests.factories import NOW
from notifications.models import Notification
from notifications.tests.factories import a_notification
from users.models import CustomUser
from users.tests.factories import a_user, an_admin

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> CustomUser:
    return a_user()


@pytest.fixture
def client(user: CustomUser) -> APIClient:
    return signed_in_as(user)


def signed_in_as(user: CustomUser) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [statement["sql"].split()[0] for statement in captured]


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.json()
    return [entry["id"] for entry in response.json()["results"]]


def test_a_notification_has_the_fields_of_the_contract(client: APIClient, user: CustomUser) -> None:
    booking = a_booking(user=user)

    response = client.get("/api/notifications/")

    (entry,) = response.json()["results"]
    assert entry == {
        "id": Notification.objects.get(user=user).pk,
        "type": "confirmation",
        "title": "You are booked: Zero to API",
        "body": f"Your booking {booking.reference} for “Zero to API” is confirmed. We look forward to seeing you.",
        "data": {"booking": booking.pk, "event": booking.event_id},
        "is_read": False,
        "read_at": None,
        "created_at": "2027-03-01T12:00:00Z",
    }
    assert client.get(f"/api/notifications/{entry['id']}/").json() == entry


def test_marking_one_as_read_keeps_the_time_of_the_first_reading(client: APIClient, user: CustomUser) -> None:
    message = a_notification(user=user)
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        first = client.post(f"/api/notifications/{message.pk}/mark_as_read/")
    with time_machine.travel(NOW + timedelta(minutes=9), tick=False):
        second = client.post(f"/api/notifications/{message.pk}/mark_as_read/")

    assert (first.status_code, second.status_code) == (200, 200)
    assert (first.json()["is_read"], first.json()["read_at"]) == (True, "2027-03-01T12:05:00Z")
    assert second.json() == first.json()


def test_all_are_marked_in_one_statement(client: APIClient, user: CustomUser) -> None:
    for number in range(5):
        a_notification(user=user, occasion=f".{number}")
    read_before = a_notification(user=user, occasion=".old", is_read=True, read_at=datetime(2027, 1, 1, tzinfo=UTC))
    another = a_notification()

    with CaptureQueriesContext(connection) as captured:
        response = client.post("/api/notifications/mark_all_as_read/")

    assert (response.status_code, response.json()) == (200, {"marked": 5})
    assert statements(captured) == ["UPDATE"]
    assert not Notification.objects.filter(user=user, is_read=False).exists()
    read_before.refresh_from_db()
    another.refresh_from_db()
    assert (read_before.read_at, another.is_read) == (datetime(2027, 1, 1, tzinfo=UTC), False)


def test_the_unread_are_counted(client: APIClient, user: CustomUser) -> None:
    a_notification()
    a_notification(user=user, occasion=".1", is_read=True, read_at=NOW)
    a_notification(user=user, occasion=".2")

    with CaptureQueriesContext(connection) as captured:
        response = client.get("/api/notifications/unread_count/")

    assert response.json() == {"unread_count": 1}
    assert statements(captured) == ["SELECT"]


def test_the_newest_come_first(client: APIClient, user: CustomUser) -> None:
    old, new, newest = (
        a_notification(user=user, occasion=f".{day}", now=NOW + timedelta(days=day)).pk for day in (1, 2, 3)
    )

    assert ids(client.get("/api/notifications/")) == [newest, new, old]
    assert ids(client.get("/api/notifications/", {"ordering": "created_at"})) == [old, new, newest]
    assert ids(client.get("/api/notifications/", {"created_after": "2027-03-03T12:00:00Z"})) == [newest, new]


def test_they_are_filtered_by_type_and_reading(client: APIClient, user: CustomUser) -> None:
    read = a_notification(user=user, occasion=".1", is_read=True, read_at=NOW).pk
    payment = a_notification(user=user, occasion=".2", type="payment").pk

    assert ids(client.get("/api/notifications/", {"is_read": "true"})) == [read]
    assert ids(client.get("/api/notifications/", {"is_read": "false"})) == [payment]
    assert ids(client.get("/api/notifications/", {"type": "payment"})) == [payment]
    assert ids(client.get("/api/notifications/", {"type": "survey"})) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("type", "gossip"), ("is_read", "perhaps"), ("created_after", "2027-03-03"), ("ordering", "title"), ("user", "1")],
)
def test_a_malformed_or_unknown_parameter_is_refused_by_name(client: APIClient, parameter: str, value: str) -> None:
    response = client.get("/api/notifications/", {parameter: value})

    assert response.status_code == 400
    assert [error["field"].split(".")[0] for error in response.json()["errors"]] == [parameter]


@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (20, 1), (21, 2)])
def test_a_page_costs_the_same_however_many_there_are(
    client: APIClient, user: CustomUser, rows: int, expected: int
) -> None:
    for number in range(rows):
        a_notification(user=user, occasion=f".{number}")

    with CaptureQueriesContext(connection) as captured:
        client.get("/api/notifications/")

    assert statements(captured) == ["SELECT"] * expected  # past the first page, one more counts


@pytest.mark.parametrize("make_other", [a_user, an_admin])
def test_somebody_else_s_does_not_exist(make_other: Any) -> None:
    message = a_notification()
    client = signed_in_as(make_other())

    answers = [
        client.get(f"/api/notifications/{message.pk}/"),
        client.get(f"/api/notifications/{message.pk + 1}/"),
        client.post(f"/api/notifications/{message.pk}/mark_as_read/"),
        client.post(f"/api/notifications/{message.pk + 1}/mark_as_read/"),
    ]

    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert bodies == [bodies[0]] * 4
    assert client.get("/api/notifications/").json()["count"] == 0
    assert client.get("/api/notifications/unread_count/").json() == {"unread_count": 0}
    assert client.post("/api/notifications/mark_all_as_read/").json() == {"marked": 0}
    message.refresh_from_db()
    assert not message.is_read


def test_whoever_has_not_signed_in_is_asked_to() -> None:
    message = a_notification()
    client = APIClient()

    answers = [
        client.get("/api/notifications/"),
        client.get(f"/api/notifications/{message.pk}/"),
        client.get("/api/notifications/unread_count/"),
        client.post(f"/api/notifications/{message.pk}/mark_as_read/"),
        client.post("/api/notifications/mark_all_as_read/"),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    message.refresh_from_db()
    assert not message.is_read
