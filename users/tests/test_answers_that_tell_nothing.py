"""RELIABILITY H6: who has an account is told neither by what is answered nor by what is done for it.

How long it takes is in ``test_timing_tells_nothing.py``; registration and the change of an address have theirs in
``test_registration_by_mail.py`` and ``test_email_change.py``.
"""

import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from users.models import AccountLink, CustomUser, PasswordResetRequest
from users.tests.factories import a_client, a_user

pytestmark = pytest.mark.django_db

PASSING = {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"}


def people() -> list[str]:
    """Make accounts of each kind, and return names and addresses of those, and of nobody."""
    a_user(username="known", email="known@example.org")
    a_user(username="verified", email="verified@example.org", email_verified_at="2026-01-01T00:00:00Z")
    a_user(username="inactive", email="inactive@example.org", is_active=False)
    a_user(username="passwordless", email="passwordless@example.org", password="!")
    return ["known", "verified", "inactive", "passwordless", "unknown"]


def asked(path: str, body: dict[str, Any]) -> tuple[HttpResponse, list[str]]:
    with CaptureQueriesContext(connection) as captured:
        response = a_client().post(path, body)
    # What differs is only what was typed.
    return response, [re.sub(r"'[^']*'|\b\d[\d.]*\b|s\d+_x\d+", "?", query["sql"]) for query in captured]


def comparable(response: HttpResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = sorted((name, value) for name, value in response.items() if name not in PASSING)
    content = response.content.replace(response["X-Request-ID"].encode(), b"")
    return response.status_code, content, headers


@pytest.mark.parametrize("ending", ["", "@example.org"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [("/api/auth/token/", {"password": "wrong"}), ("/api/auth/password/reset/", {})],
    ids=["sign_in", "reset"],
)
def test_answers_headers_and_statements_are_the_same(path: str, fields: dict[str, str], ending: str):
    names = people()
    asked(path, fields | {"username": "warm"})

    answers = {name: asked(path, fields | {"username": f"{name}{ending}"}) for name in names}

    unknown, statements = answers["unknown"]
    for name, (response, executed) in answers.items():
        assert comparable(response) == comparable(unknown), name
        assert executed == statements, name
    assert len(statements) > 2


def test_a_reset_asks_for_nobody_s_account():
    people()

    _response, executed = asked("/api/auth/password/reset/", {"username": "known"})

    tables = {CustomUser._meta.db_table, AccountLink._meta.db_table}
    assert not [sql for sql in executed if any(table in sql for table in tables)]
    assert PasswordResetRequest.objects.count() == 1


def test_a_link_that_is_not_valid_says_so_of_every_link():
    known = a_client().post("/api/auth/password/reset/confirm/", {"token": "x", "new_password": "short"})
    other = a_client().post("/api/auth/password/reset/confirm/", {"token": "y.z", "new_password": "a good pass phrase"})

    assert comparable(known) == comparable(other)
    assert known.json()["code"] == "link_not_valid"
