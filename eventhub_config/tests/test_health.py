"""``/healthz`` says that the process answers, ``/readyz`` whether it can serve."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from eventhub_config.development.embedded import Server
from eventhub_config.shared import health
from eventhub_config.shared.health import SILENT_AFTER, beat
from users.tests.factories import a_client


@pytest.fixture
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that this process has seen all migrations."""
    monkeypatch.setattr(health, "_migrated", False)


@pytest.fixture
def database_away(transactional_db: None) -> Iterator[None]:
    """Point this thread's connection at a place where no database is."""
    connection.close()
    there = dict(connection.settings_dict)
    connection.settings_dict |= {"HOST": "/nowhere", "PORT": "", "NAME": "/nowhere/at.all"}
    yield
    connection.close()
    connection.settings_dict.update(there)


def readiness(client: Client) -> tuple[int, str, dict[str, Any]]:
    answer = client.get("/readyz")
    body = answer.json()
    return answer.status_code, body["status"], body["checks"]


def test_a_process_that_answers_is_alive(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_alive_without_a_database_too(database_away: None, client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_everything_there_is_ready(client: Client, asked_anew: None) -> None:
    beat("worker", timezone.now())
    well = {"database": "ok", "migrations": "ok", "worker": "ok", "redis": "ok"}

    assert readiness(client) == (200, "ok", well)
    assert readiness(client) == (200, "ok", well)  # this time without reading the migrations


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, SILENT_AFTER + timedelta(seconds=1)])
def test_without_a_worker_it_serves_all_the_same(client: Client, age: timedelta | None) -> None:
    if age:
        beat("worker", timezone.now() - age)

    status, state, checks = readiness(client)

    assert (status, state, checks["worker"]) == (200, "degraded", "silent")


@pytest.mark.django_db
@pytest.mark.parametrize("disturb", ["freeze", "kill"])
def test_without_redis_it_serves_all_the_same(client: Client, redis_to_disturb: Server, disturb: str) -> None:
    beat("worker", timezone.now())
    getattr(redis_to_disturb, disturb)()

    status, state, checks = readiness(client)

    assert (status, state, checks["redis"]) == (200, "degraded", "unreachable")
    assert checks["database"] == "ok"


def test_without_its_database_it_cannot_serve(database_away: None, client: Client, asked_anew: None) -> None:
    status, state, checks = readiness(client)

    assert (status, state, checks["database"]) == (503, "unavailable", "unreachable")


def test_a_database_that_goes_away_later_is_noticed(
    client: Client, transactional_db: None, request: pytest.FixtureRequest
) -> None:
    assert readiness(client)[0] == 200

    request.getfixturevalue("database_away")

    assert readiness(client)[0] == 503


@pytest.mark.django_db
def test_without_its_migrations_it_cannot_serve(client: Client, asked_anew: None) -> None:
    MigrationRecorder.Migration.objects.filter(app="bookings").latest("pk").delete()

    status, state, checks = readiness(client)

    assert (status, state, checks["migrations"]) == (503, "unavailable", "missing")


@pytest.mark.parametrize("address", ["/api/events/", "/api/events/1/", "/api/bookings/"])
def test_the_api_says_when_to_come_back(database_away: None, address: str) -> None:
    answer = a_client().get(address)

    if answer.status_code != 401:  # who needs to be signed in is told so without a look into the database
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_they_are_asked_over_plain_http_even_where_all_else_is_encrypted(
    path: str, settings: Any, transactional_db: None
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get(f"/{path}").status_code == 200
    assert Client().get("/nowhere").status_code == 301
