"""DEBUG, which `make run` switches on, changes no answer of the API and shows no secret."""

import json

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from eventhub_config.shared.errors import ReportFilter


@pytest.fixture(autouse=True)
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


@pytest.mark.parametrize("address", ["/nowhere", "/api/nowhere/", "/api/events", "/static/nowhere.css", "/%0Aa"])
def test_an_unknown_address_is_a_problem(address: str) -> None:
    response = Client().get(address)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["code"] == "not_found"


@pytest.mark.parametrize("address", ["/", "/healthz", "/api/events/", "/admin/login/"])
def test_another_host_is_a_problem(address: str) -> None:
    response = Client().get(address, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["detail"] == "This host name is not served here."


def test_a_report_of_an_error_holds_no_address_of_a_server(settings: Settings) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://:the-password@redis.example/0"

    shown = ReportFilter().get_safe_settings()

    assert django_settings.DEFAULT_EXCEPTION_REPORTER_FILTER.endswith(".ReportFilter")
    assert "the-password" not in str(shown)
    assert django_settings.SECRET_KEY not in str(shown)
