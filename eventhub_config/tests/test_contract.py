"""The check that every test's answers go through: that it lets good ones pass, and that it can fail."""

import json
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from eventhub_config.shared.permissions import Anyone
from eventhub_config.tests.contract import BrokenPromise, check, find_operation
from users.tests.factories import a_client_of, a_user

HEADERS = {"Content-Type": "application/json", "X-Request-ID": "request-1"}
PROBLEM_HEADERS = HEADERS | {"Content-Type": "application/problem+json"}
COUNT = {"unread_count": 3}
ADDRESS = "/api/notifications/unread_count/"
PROBLEM: dict[str, Any] = {
    "type": "/api/meta/#not_authenticated",
    "title": "Sign in first.",
    "status": 401,
    "code": "not_authenticated",
    "detail": "Sign in first.",
    "request_id": "request-1",
    "errors": [],
}
PAIR = {"access": "a", "refresh": "b"}


def complaint(
    body: Any, *, status: int = 200, headers: dict[str, str] = HEADERS, address: str = ADDRESS, method: str = "GET"
) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BrokenPromise) as caught:
        check(method, address, status, headers, content)
    return str(caught.value)


def test_lets_a_promised_answer_pass() -> None:
    check("GET", ADDRESS, 200, HEADERS, json.dumps(COUNT).encode())
    check("HEAD", ADDRESS, 200, HEADERS, b"")
    check("GET", ADDRESS, 401, PROBLEM_HEADERS, json.dumps(PROBLEM).encode())


def test_names_operation_status_and_place() -> None:
    message = complaint({"unread_count": "three"})

    assert message == "notifications_unread_count answered 200:\n  /unread_count: 'three' is not of type 'integer'"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'unread_count' is a required property"),
        (COUNT | {"secret": 1}, "('secret' was unexpected)"),
        ([COUNT], "is not of type 'object'"),
        (b"<html>", "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b'{"unread_count": NaN}', "NaN is not JSON"),
    ],
)
def test_refuses_another_body(body: Any, words: str) -> None:
    assert words in complaint(body)


def test_refuses_unknown_keys_deep_inside() -> None:
    envelope = {"count": 1, "count_is_exact": True, "next": None, "previous": None}
    refund = {"id": 1, "payment": 1, "booking": 1, "amount": "1.00", "currency": "EUR", "reason": ""}
    refund |= {"status": "requested", "failure_code": "", "is_given_up": False, "by_hand_note": ""}
    refund |= {"created_at": "2027-03-01T12:00:00Z", "completed_at": None}

    check("GET", "/api/refunds/", 200, HEADERS, json.dumps(envelope | {"results": [refund]}).encode())
    message = complaint(envelope | {"results": [refund | {"gateway_key": "K"}]}, address="/api/refunds/")

    assert message.startswith("refunds_list answered 200:\n  /results/0: ")
    assert "'gateway_key' was unexpected" in message


@pytest.mark.parametrize("moment", ["2027-03-01T12:00:00", "2027-03-01T12:00:00+01:00", "2027-03-01", "now"])
def test_refuses_a_moment_that_is_not_in_utc(moment: str) -> None:
    body = {"token_type": "access", "expires_at": moment}

    message = complaint(body, address="/api/auth/token/verify/", method="POST")

    assert f"/expires_at: '{moment}' is not a 'date-time'" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"X-Request-ID": ""}, "header X-Request-ID: is missing"),
        ({"Content-Type": "text/html"}, "header Content-Type: is 'text/html', documented: application/json"),
        ({"Content-Type": "application/problem+json"}, "header Content-Type"),
    ],
)
def test_refuses_other_headers(changes: dict[str, str], words: str) -> None:
    assert words in complaint(COUNT, headers=HEADERS | changes)


@pytest.mark.parametrize("status", [201, 302, 409, 500])
def test_refuses_a_status_that_is_not_documented(status: int) -> None:
    assert "this status is not documented" in complaint(PROBLEM | {"status": status}, status=status)


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "busy")])
def test_wants_to_know_when_to_come_back(status: int, code: str) -> None:
    body = PROBLEM | {"status": status, "code": code}

    message = complaint(body, status=status, headers=PROBLEM_HEADERS)

    assert "header Retry-After: is None" in message
    check("GET", ADDRESS, status, PROBLEM_HEADERS | {"Retry-After": "2"}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "sold_out"}, "/code: 'sold_out' is not documented for this operation"),
        ({"status": 400}, "/status: is 400"),
        ({"request_id": "another"}, "/request_id: is 'another', the header says 'request-1'"),
        ({"errors": [{"field": "a", "code": None, "message": "b"}]}, "/errors/0/code: None is not of type 'string'"),
    ],
)
def test_refuses_a_problem_that_contradicts_itself(changes: dict[str, Any], words: str) -> None:
    assert words in complaint(PROBLEM | changes, status=401, headers=PROBLEM_HEADERS)


def test_wants_no_body_where_none_is_promised() -> None:
    check("POST", "/api/auth/logout/", 204, HEADERS, b"")

    assert "there should be no body" in complaint(PAIR, status=204, address="/api/auth/logout/", method="POST")
    assert "there should be no body" in complaint(COUNT, method="HEAD")


@pytest.mark.parametrize(("method", "address"), [("GET", "/api/nowhere/"), ("DELETE", "/api/bookings/1/")])
def test_lets_what_is_no_operation_be_a_problem_only(method: str, address: str) -> None:
    body = PROBLEM | {"status": 404, "code": "not_found"}
    check(method, address, 404, PROBLEM_HEADERS, json.dumps(body).encode())

    assert "(no operation) answered 200" in complaint(COUNT, method=method, address=address)


def test_takes_the_address_with_fewer_variables() -> None:
    found = find_operation("PATCH", "/api/users/me/")

    assert found is not None
    assert found.id == "users_me_partial_update"


# --- The wiring -------------------------------------------------------------------------------------------------------


@api_view(["GET"])
@permission_classes([Anyone])
def liar(request: Request) -> Response:
    return Response({"unread_count": 3, "secret": "yes"})


urlpatterns = [path("api/notifications/unread_count/", liar), path("", include("eventhub_config.urls"))]


@pytest.mark.parametrize("kind", [Client, APIClient])
@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.django_db
def test_is_wired_to_every_client(kind: type[Client]) -> None:
    with pytest.raises(BrokenPromise, match="'secret' was unexpected"):
        kind().get(ADDRESS)


@pytest.mark.django_db
def test_is_wired_to_the_clients_of_our_factories() -> None:
    assert a_client_of(a_user()).get(ADDRESS).json() == {"unread_count": 0}
