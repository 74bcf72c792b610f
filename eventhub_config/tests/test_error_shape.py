"""Whatever goes wrong, the answer is a problem of the one shape, with the status that says whose fault it is.

That it *is* a problem, of a documented status and code, is the contract's check in the root ``conftest.py``.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from pytest_django import Settings
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from eventhub_config.shared.parsing import DEEPEST
from eventhub_config.shared.permissions import Anyone
from events.tests.factories import an_event
from users.models import CustomUser
from users.tests.factories import PASSWORD, a_client, a_client_of, a_user, an_admin, an_organizer

pytestmark = pytest.mark.django_db

KEYS = {"type", "title", "status", "code", "detail", "request_id", "errors"}


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the body of an answer after looking at its shape."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == KEYS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/api/meta/#{code}"
    assert body["request_id"] == answer["X-Request-ID"]
    return body


def fields(body: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["code"] for error in body["errors"]}


def post(address: str, body: Any, content_type: str = "application/json", by: APIClient | None = None) -> Any:
    """Send a body as it is."""
    return (by or a_client()).generic("POST", address, body, content_type)


# --- Addresses and methods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/api/nowhere/",
        "/api/nowhere",
        "/api/events/abc/",
        "/api/events/1/nowhere/",
        "/api/events/1.5/",
        "/api/events/-1/",
        "/api/events/9999999999999999999/",
        "/api/events/%00/",
        "/api/events/%ED%A0%80/",
        "/api/events/%F0%28%8C%28/",
        "/api//events/",
        "/nowhere",
        "/favicon.ico",
        "/API/events/",
        f"/api/{'x' * 5000}/",
    ],
)
def test_an_unknown_address_is_not_found(address: str) -> None:
    problem(a_client().get(address), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("address", ["/api/nowhere/", "/api/bookings/abc/cancel/", "/nowhere"])
def test_an_unknown_address_is_not_found_by_any_method(method: str, address: str) -> None:
    client = APIClient(enforce_csrf_checks=True)  # as on a real server: no cookie of ours is asked for

    problem(client.generic(method, address, "{}", "application/json"), 404, "not_found")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_forgotten_slash_is_told(method: str) -> None:
    body = problem(getattr(a_client(), method)("/api/events"), 404, "not_found")

    assert body["detail"] == "Not found. Paths of this API end with a slash."


@pytest.mark.parametrize("pk", [0, 999_999_999, 10**18 - 1])
def test_an_unknown_id_is_not_found(pk: int) -> None:
    problem(a_client().get(f"/api/events/{pk}/"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PUT", "/api/events/1/"),
        ("DELETE", "/api/bookings/1/"),
        ("POST", "/api/meta/"),
        ("PATCH", "/api/events/"),
        ("GET", "/api/auth/token/"),
        ("TRACE", "/api/events/"),
        ("OPTIONS", "/api/events/"),
        ("PURGE", "/api/events/"),
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_another_method_is_not_allowed_and_the_allowed_are_named(method: str, address: str, signed_in: bool) -> None:
    client = a_client_of(an_organizer()) if signed_in else a_client()

    answer = client.generic(method, address)

    problem(answer, 405, "method_not_allowed")
    assert method not in answer["Allow"].split(", ")
    assert answer["Allow"]


def test_head_is_get_without_a_body() -> None:
    answer = a_client().head("/api/events/")

    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "nonsense"])
def test_another_format_is_not_acceptable(accept: str) -> None:
    answer = a_client().get("/api/events/", headers={"Accept": accept})

    problem(answer, 406, "not_acceptable")
    assert answer.json()["detail"] == "This address answers with application/json."


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, */*;q=0.1"])
def test_json_is_what_most_accept(accept: str) -> None:
    assert a_client().get("/api/events/", headers={"Accept": accept}).status_code == 200


def test_a_format_cannot_be_asked_for_otherwise() -> None:
    body = problem(a_client().get("/api/events/", {"format": "html"}), 400, "invalid")

    assert fields(body) == {"format": "invalid_choice"}  # an event's format


# --- Bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"nonsense",
        b"{'username': 'a'}",
        b'{"username": "a"} {}',
        b'{"username": NaN}',
        b'{"username": Infinity}',
        b'{"username": "\\ud800"}',
        b'{"username": "\\u0000"}',
        b'{"\\u0000": "a"}',
        b'{"a": [{"b": "\\u0000"}]}',
        b'{"username": "\x00"}',
        b'{"username": "\xff\xfe"}',
        b'\xef\xbb\xbf{"username": "a"}',
        b"[" * 5_000,
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}",
        b"[" * 1_000 + b'"\\u0000"' + b"]" * 1_000,
        json.dumps({"username": "a"}).encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    answer = post("/api/auth/token/", body)

    problem(answer, 400, "malformed_body")


def test_a_body_may_be_as_deep_as_the_limit_with_a_key_too() -> None:
    deepest = f'{{"event": {an_event().pk}, "unknown": {"[" * (DEEPEST - 1)}{"]" * (DEEPEST - 1)}}}'

    answer = a_client_of(a_user()).generic(
        "POST", "/api/bookings/", deepest, "application/json", HTTP_IDEMPOTENCY_KEY="a-key"
    )

    assert answer.status_code < 500


@pytest.mark.parametrize("body", ["[]", "1", "true", '"text"', "[[]]", '[{"username": "a"}]'])
@pytest.mark.parametrize("address", ["/api/auth/token/", "/api/users/", "/api/events/", "/api/bookings/"])
def test_what_is_no_object_is_invalid(body: str, address: str) -> None:
    answer = post(address, body, by=a_client_of(an_organizer()))

    assert fields(problem(answer, 400, "invalid")) == {"": "invalid"}


@pytest.mark.parametrize(("body", "told"), [("null", {"": "null"}), ("", {"event": "required"})])
def test_nothing_is_invalid_too(body: str, told: dict[str, str]) -> None:
    answer = post("/api/bookings/", body, by=a_client_of(a_user()))

    assert fields(problem(answer, 400, "invalid")) == told


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"event": 1e400}', "malformed_body"),
        ('{"event": 9223372036854775808}', "invalid"),
        ('{"event": -9223372036854775809}', "invalid"),
        ('{"event": 99999999999999999999999999999999}', "invalid"),
        ('{"event": 1.5}', "invalid"),
        ('{"event": "1e3"}', "invalid"),
        ('{"event": true}', "invalid"),
        ('{"event": {}}', "invalid"),
        ('{"event": [1]}', "invalid"),
        ('{"event": null}', "invalid"),
        ('{"event": 0}', "invalid"),
        ('{"event": 1, "event": 9223372036854775808}', "invalid"),
        ('{"event": "' + "9" * 5_000 + '"}', "invalid"),
    ],
)
def test_a_number_that_is_none_is_invalid(body: str, code: str) -> None:
    answer = post("/api/bookings/", body, by=a_client_of(a_user()))

    problem(answer, 400, code)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json-patch+json",
        "nonsense",
        "",
    ],
)
def test_another_content_type_is_unsupported(content_type: str) -> None:
    answer = post("/api/auth/token/", "a=b", content_type)

    problem(answer, 415, "unsupported_media_type")
    assert answer.json()["detail"] == "Send application/json."


def test_a_charset_beside_json_does_no_harm() -> None:
    user = a_user()
    body = json.dumps({"username": user.username, "password": PASSWORD})

    answer = post("/api/auth/token/", body, "application/json; charset=utf-8")

    assert answer.status_code == 200


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    fits = post("/api/auth/token/", b'{"a": "%s"}' % (b"x" * 991))
    too_large = post("/api/auth/token/", b'{"a": "%s"}' % (b"x" * 992))

    problem(fits, 400, "invalid")
    problem(too_large, 413, "payload_too_large")


def test_a_huge_body_is_too_large() -> None:
    answer = post("/api/events/", b"[" + b"1," * 1_000_000, by=a_client_of(an_organizer()))

    problem(answer, 413, "payload_too_large")


# --- Hosts and headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "a b", "testserver.evil.example", "[::1", "\x00"])
@pytest.mark.parametrize("address", ["/api/events/", "/nowhere"])
def test_another_host_is_not_served(host: str, address: str) -> None:
    answer = a_client().get(address, HTTP_HOST=host)

    assert problem(answer, 400, "bad_request")["detail"] == "This host name is not served here."


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "\x00", "Zoë", "\xff", "x" * 10_000, "eyJhbGciOiJub25lIn0.e30.", "null"]
)
def test_a_broken_token_is_not_valid(token: str) -> None:
    answer = a_client().get("/api/bookings/", HTTP_AUTHORIZATION=f"Bearer {token}")

    body = answer.json()
    assert body["code"] in {"token_not_valid", "not_authenticated"}
    problem(answer, 401, body["code"])
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match", "X-Request-ID", "User-Agent", "X-Forwarded-For"])
@pytest.mark.parametrize("value", ["\x00", "\xff", "é", "," * 2_000, '"', "x" * 5_000])
def test_strange_headers_break_nothing(name: str, value: str) -> None:
    client = a_client_of(a_user())

    for answer in (
        client.get("/api/users/me/", headers={name: value}),
        client.patch("/api/users/me/", {"first_name": "Ada"}, headers={name: value}),
    ):
        assert answer.status_code in {200, 304, 400, 412}


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "\x00", "\t"])
def test_an_idempotency_key_is_printable_and_short(key: str) -> None:
    answer = a_client_of(a_user()).post("/api/bookings/", {"event": an_event().pk}, HTTP_IDEMPOTENCY_KEY=key)

    assert fields(problem(answer, 400, "invalid")) == {"Idempotency-Key": "invalid"}


def test_what_a_service_finds_is_summed_up_like_what_a_serializer_finds() -> None:
    answer = a_client_of(an_organizer()).post("/api/ticket-types/", {"event": 99, "name": "Standard"})

    body = problem(answer, 400, "invalid")
    assert fields(body) == {"event": "does_not_exist"}
    assert body["detail"] == "event: There is no such object."


# --- Query strings ----------------------------------------------------------------------------------------------------


def test_an_unknown_parameter_is_named() -> None:
    body = problem(a_client().get("/api/events/", {"colour": "red", "search": "a"}), 400, "invalid")

    assert fields(body) == {"colour": "unknown_parameter"}


@pytest.mark.parametrize("parameter", ["search=a", "page=1", "colour=red"])
def test_what_is_no_list_takes_no_parameters(parameter: str) -> None:
    event, client = an_event(), a_client_of(a_user())

    for answer in (
        client.get(f"/api/events/{event.pk}/?{parameter}"),
        client.get(f"/api/events/{event.pk}/availability/?{parameter}"),
        client.get(f"/api/users/me/?{parameter}"),
        client.get(f"/api/meta/?{parameter}"),
        client.post(f"/api/bookings/?{parameter}", {"event": event.pk}),
    ):
        body = problem(answer, 400, "invalid")
        assert fields(body) == {parameter.partition("=")[0]: "unknown_parameter"}


@pytest.mark.parametrize(
    "parameter",
    [
        "organizer__password__startswith=a",
        "_connector=OR",
        "id__in=1",
        "published_at__isnull=1",
        "organizer_id=1",
        "pk=1",
        "limit=5",
        "offset=5",
        "%00=1",
        "%ED%A0%80=1",
        f"{'x' * 3_000}=1",
    ],
)
def test_what_is_not_on_the_list_does_not_filter(parameter: str) -> None:
    """RELIABILITY H9"""
    body = problem(a_client().get(f"/api/events/?{parameter}"), 400, "invalid")

    assert [error["code"] for error in body["errors"]] == ["unknown_parameter"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "party"),
        ("status", "draft "),
        ("format", "xml"),
        ("organizer", "abc"),
        ("organizer", "0"),
        ("organizer", "-1"),
        ("organizer", "1.5"),
        ("organizer", "1_0"),
        ("organizer", "1e1"),
        ("organizer", " 1"),
        ("organizer", "²"),
        ("organizer", "NaN"),
        ("organizer", "Infinity"),
        ("organizer", "9223372036854775808"),
        ("organizer", "1" * 5_000),
        ("starts_after", "tomorrow"),
        ("starts_after", "2027-03-01"),
        ("starts_after", "2027-03-01T18:00:00"),
        ("starts_after", "0000-01-01T00:00:00Z"),
        ("starts_after", "0001-01-01T00:00:00+16:00"),
        ("starts_after", "0001-01-01T00:00:00Z"),
        ("starts_after", "9999-12-31T23:59:59-16:00"),
        ("starts_after", "9999-12-31T23:59:59Z"),
        ("starts_after", "2027-03-01T18:00:00+99:00"),
        ("starts_after", "2027-02-30T18:00:00Z"),
        ("starts_after", "2027-03-01T18:00:60Z"),
        ("starts_after", "2027-03-01T24:00:01Z"),
        ("ordering", "organizer__password"),
        ("ordering", "seats_taken"),
        ("ordering", "starts_at;drop"),
        ("ordering", "--starts_at"),
        ("ordering", ","),
        ("ordering", "starts_at,,title"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "1" + "0" * 30),
        ("page", "abc"),
        ("page", "1.0"),
        ("page", ""),
        ("page", "²"),
        ("page_size", "0"),
        ("page_size", "-1"),
        ("page_size", "101"),
        ("page_size", "1000000000"),
        ("page_size", "abc"),
        ("cursor", "abc"),
        ("cursor", "!"),
        ("cursor", "aWQ6LTE"),  # id:-1
        ("cursor", "aWQ6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ"),  # id:99999999999999999999999
        ("cursor", "b2Zmc2V0OjU"),  # offset:5
        ("cursor", "aWQ6wrI"),  # id:²
    ],
)
def test_a_malformed_parameter_is_named(name: str, value: str) -> None:
    body = problem(a_client().get("/api/events/", {name: value}), 400, "invalid")

    assert {error["field"] for error in body["errors"]} == {name}


@pytest.mark.parametrize("name", ["search", "slug", "city", "country", "language", "cursor"])
def test_no_parameter_may_hold_what_cannot_be_stored(name: str) -> None:
    client = a_client()

    problem(client.get(f"/api/events/?{name}=a%00b"), 400, "invalid")
    # A lone surrogate is not UTF-8: what stands for it finds nothing.
    assert client.get(f"/api/events/?{name}=%ED%A0%80").status_code in {200, 400}


@pytest.mark.parametrize(
    "address",
    [
        "/admin/autocomplete/?app_label=events&model_name=tickettype&field_name=event&term=a%00",
        "/admin/events/event/?city=%00",
        "/admin/notifications/notification/?title=%00",
        "/admin/users/customuser/?username=%00",
        "/admin/users/usersession/?user_agent=%00",
    ],
)
def test_no_page_asks_for_what_cannot_be_stored(client: Client, address: str) -> None:
    client.force_login(an_admin())

    problem(client.get(address), 400, "bad_request")


def test_a_page_after_the_last_is_not_found() -> None:
    problem(a_client().get("/api/events/", {"page": 2}), 404, "not_found")
    problem(a_client().get("/api/events/", {"page": 10**9}), 404, "not_found")


@pytest.mark.parametrize("search", ["%", "_", "\\", "'", '"; --', "*", "(", "a" * 200, "  ", "🎉", "xyz " * 50])
def test_a_search_is_only_text(search: str) -> None:
    event = an_event()

    answer = a_client().get("/api/events/", {"search": search})

    assert answer.status_code == 200
    assert [it["id"] for it in answer.json()["results"]] == ([] if search.strip() else [event.pk])


# --- Moments in a body ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2027-04-01T18:00:00", "naive"),
        ("2027-04-01", "naive"),
        ("tomorrow", "invalid"),
        ("", "invalid"),
        (5, "invalid"),
        (None, "null"),
        ([], "invalid"),
        ("0001-01-01T00:00:00Z", "range"),
        ("0001-01-01T00:00:00+14:00", "range"),
        ("1899-12-31T23:59:59Z", "range"),
        ("2201-01-01T00:00:00Z", "range"),
        ("9999-12-31T23:59:59-14:00", "range"),
        ("2027-02-29T18:00:00Z", "invalid"),
        ("2027-04-01T18:00:60Z", "invalid"),
        ("2027-04-01T18:00:00+24:00", "invalid"),
        ("2027-04-01T18:00:00\u0660Z", "invalid"),
    ],
)
def test_a_moment_that_is_none_is_refused(moment: Any, code: str) -> None:
    body = {"title": "A", "category": "meetup", "starts_at": moment, "ends_at": "2027-04-02T18:00:00Z"}

    answer = a_client_of(an_organizer()).post("/api/events/", body)

    assert fields(problem(answer, 400, "invalid")) == {"starts_at": code}


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("2027-04-01T18:00:00Z", "2027-04-01T18:00:00Z"),
        ("2027-04-01T18:00:00+02:00", "2027-04-01T16:00:00Z"),
        ("2027-04-01T18:00:00-16:21", "2027-04-02T10:21:00Z"),
        ("2027-04-01T18:00:00+23:59", "2027-03-31T18:01:00Z"),
        ("2027-04-01T18:00:00.5Z", "2027-04-01T18:00:00.500000Z"),
        ("2027-04-01 18:00Z", "2027-04-01T18:00:00Z"),
    ],
)
def test_a_moment_is_answered_in_utc(moment: str, kept: str) -> None:
    body = {"title": "A", "category": "meetup", "starts_at": moment, "ends_at": "2027-05-01T18:00:00Z"}

    answer = a_client_of(an_organizer()).post("/api/events/", body)

    assert answer.status_code == 201
    assert answer.json()["starts_at"] == kept


# --- Too many ---------------------------------------------------------------------------------------------------------


def test_too_many_requests_are_told_when_to_come_back(settings: Settings) -> None:
    settings.ANONYMOUS_RATE = 2
    client = a_client()

    answers = [client.get("/api/meta/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"2"}
    problem(answers[2], 429, "rate_limited")
    assert answers[2]["Retry-After"] == answers[2]["RateLimit-Reset"]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60


def test_signing_in_too_often_is_told_when_to_come_back(settings: Settings) -> None:
    settings.SIGN_IN_ACCOUNT_LIMIT = 1
    wrong = {"username": a_user().username, "password": "wrong"}

    answers = [a_client().post("/api/auth/token/", wrong) for _ in range(2)]

    problem(answers[0], 401, "invalid_credentials")
    problem(answers[1], 429, "rate_limited")
    assert 1 <= int(answers[1]["Retry-After"]) <= timedelta(minutes=5).total_seconds()


# --- What should never happen -----------------------------------------------------------------------------------------


@api_view(["GET"])
@permission_classes([Anyone])
def breaks(request: Request) -> Response:
    raise RuntimeError("a secret of the inside")


@api_view(["GET"])
@permission_classes([Anyone])
def cannot_be_written(request: Request) -> Response:
    return Response({"thing": object()})


def breaks_outside_of_the_api(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of the inside")


def is_missing(request: HttpRequest) -> HttpResponse:
    raise Http404("a secret of the inside")


handler400 = "eventhub_config.shared.errors.bad_request"
handler403 = "eventhub_config.shared.errors.permission_denied"
handler404 = "eventhub_config.shared.errors.page_not_found"
handler500 = "eventhub_config.shared.errors.server_error"
urlpatterns = [
    path("broken/view/", breaks),
    path("broken/answer/", cannot_be_written),
    path("broken/page/", breaks_outside_of_the_api),
    path("broken/missing/", is_missing),
    path("", include("eventhub_config.urls")),
]


@pytest.mark.parametrize("address", ["/broken/view/", "/broken/answer/", "/broken/page/"])
@override_settings(ROOT_URLCONF=__name__)
def test_what_breaks_is_a_problem_that_tells_nothing(address: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = Client(raise_request_exception=False).get(address)

    body = problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert body["errors"] == []
    assert any(record.exc_info for record in caplog.records)


@override_settings(ROOT_URLCONF=__name__)
def test_what_breaks_is_logged_under_the_id_that_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    from eventhub_config.shared.requests import ContextFilter

    caplog.handler.addFilter(ContextFilter())

    answer = Client(raise_request_exception=False).get("/broken/view/")

    (record,) = [record for record in caplog.records if record.name == "eventhub_config.shared.errors"]
    assert record.__dict__["request_id"] == answer["X-Request-ID"]
    assert "a secret of the inside" in caplog.text


@override_settings(ROOT_URLCONF=__name__)
def test_what_is_missing_does_not_say_why() -> None:
    answer = Client().get("/broken/missing/")

    problem(answer, 404, "not_found")
    assert b"secret" not in answer.content


def test_a_forged_form_is_a_problem_too() -> None:
    """The admin's pages have cookies, so Django asks for its own token there; the API has none and asks for none."""
    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/admin/login/", {"username": "a"}).status_code == 403
    problem(strict.post("/api/auth/token/", {}, content_type="application/json"), 400, "invalid")


def test_nobody_signs_in_to_the_api_by_cookie() -> None:
    client = APIClient()
    client.force_login(CustomUser.objects.get(pk=a_user().pk))

    problem(client.get("/api/users/me/"), 401, "not_authenticated")
