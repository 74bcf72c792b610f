"""The OpenAPI document: complete, valid, and stable for those who generate clients from it."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.translation import trans_real
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from eventhub_config.shared.errors import error_codes
from eventhub_config.tests.contract import document, operations

# Generated clients name their functions after these. Adding is free; renaming or removing one breaks every client.
OPERATION_IDS = [
    "auth_email_confirm",
    "auth_email_verify",
    "auth_logout",
    "auth_password_reset",
    "auth_password_reset_confirm",
    "auth_token",
    "auth_token_refresh",
    "auth_token_verify",
    "bookings_calendar",
    "bookings_cancel",
    "bookings_cancellation",
    "bookings_confirm",
    "bookings_create",
    "bookings_download_link",
    "bookings_list",
    "bookings_no_show",
    "bookings_partial_update",
    "bookings_record_payment",
    "bookings_resend_confirmation",
    "bookings_retrieve",
    "bookings_tickets_pdf",
    "bookings_undo_no_show",
    "downloads_read",
    "events_attendees",
    "events_attendees_csv",
    "events_availability",
    "events_calendar",
    "events_cancel",
    "events_check_in",
    "events_close_doors",
    "events_complimentary",
    "events_complimentary_import",
    "events_cover_image_create",
    "events_cover_image_destroy",
    "events_create",
    "events_destroy",
    "events_door",
    "events_duplicate",
    "events_eligibility",
    "events_list",
    "events_offer_next",
    "events_partial_update",
    "events_publish",
    "events_retrieve",
    "events_scans",
    "events_sessions_list",
    "events_statistics",
    "events_withdraw",
    "invoices_download_link",
    "invoices_export",
    "invoices_list",
    "invoices_mark_as_sent",
    "invoices_pdf",
    "invoices_retrieve",
    "meta_retrieve",
    "notifications_list",
    "notifications_mark_all_as_read",
    "notifications_mark_as_read",
    "notifications_retrieve",
    "notifications_unread_count",
    "organizers_calendar",
    "organizers_retrieve",
    "payments_callbacks",
    "payments_create",
    "payments_list",
    "payments_refund",
    "payments_retrieve",
    "refunds_list",
    "refunds_mark_as_paid",
    "refunds_retrieve",
    "refunds_retry",
    "sessions_create",
    "sessions_destroy",
    "sessions_list",
    "sessions_partial_update",
    "sessions_retrieve",
    "ticket_types_create",
    "ticket_types_destroy",
    "ticket_types_list",
    "ticket_types_partial_update",
    "ticket_types_retrieve",
    "tickets_check_in",
    "tickets_download_link",
    "tickets_list",
    "tickets_pdf",
    "tickets_retrieve",
    "tickets_undo_check_in",
    "users_create",
    "users_list",
    "users_me_avatar_create",
    "users_me_avatar_destroy",
    "users_me_email",
    "users_me_email_cancel",
    "users_me_email_verify",
    "users_me_partial_update",
    "users_me_password",
    "users_me_retrieve",
    "users_partial_update",
    "users_retrieve",
    "waitlist_accept",
    "waitlist_create",
    "waitlist_decline",
    "waitlist_leave",
    "waitlist_list",
    "waitlist_retrieve",
]


def schemas() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = document()["components"]["schemas"]
    return found


def test_keeps_its_operation_ids() -> None:
    assert sorted(operations()) == OPERATION_IDS


def test_is_valid_and_generated_without_a_warning(tmp_path: Any) -> None:
    with GENERATOR_STATS.silence():
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))

    validate_schema(document())


@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/", "/api/redoc/"])
def test_is_served_to_anyone_without_the_network(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 200
    assert b"//cdn." not in response.content


def test_is_served_as_it_is_checked(client: Client) -> None:
    served = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()

    assert served["openapi"].startswith("3.1")
    assert served["paths"] == document()["paths"]
    assert served["components"] == document()["components"]


@pytest.mark.parametrize("query", ["version=%00", "version=%0d%0aSet-Cookie:a=b", "version=9", "lang=xx", "lang=%00"])
def test_is_the_same_whatever_is_asked(client: Client, query: str) -> None:
    answer, plain = client.get(f"/api/schema/?{query}"), client.get("/api/schema/")

    assert answer.content == plain.content
    assert answer["Content-Disposition"] == plain["Content-Disposition"] == 'inline; filename="Event Hub API.yaml"'
    assert "xx" not in vars(trans_real)["_translations"]  # each would stay in memory for good


def test_is_not_acceptable_as_anything_else(client: Client) -> None:
    answer = client.get("/api/schema/", headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert answer.json()["code"] == "not_acceptable"


def test_tells_its_readers_nothing_that_is_for_us() -> None:
    """Docstrings become descriptions: what is about the code stands in comments."""
    text = json.dumps(document())

    assert "``" not in text
    assert "DRF" not in text


def test_names_every_set_of_choices() -> None:
    assert not {"NullEnum", "BlankEnum"} & set(schemas())

    for name, schema in schemas().items():
        for field, described in schema.get("properties", {}).items():
            items = described.get("items", described)
            assert "enum" not in items, f"{name}.{field} has choices without a name"


def test_keeps_requests_and_answers_apart() -> None:
    asked, answered = set(), set()
    for operation in operations().values():
        asked |= _components(operation.described.get("requestBody", {}))
        answered |= _components(operation.described["responses"])

    assert not {name for name in asked & answered if not name.endswith("Enum")}


def test_says_what_may_be_left_out() -> None:
    """Generators take a field with a default for one that must be sent, and one that is not required for absent."""
    for name, schema in schemas().items():
        fields = schema.get("properties", {})
        if name.endswith("Request"):
            assert not [field for field, it in fields.items() if "default" in it], name
        elif not name.startswith("Paginated"):  # those have no count with a cursor
            assert set(fields) == set(schema.get("required", [])), name

    assert "required" not in schemas()["ProfileRequest"]
    assert schemas()["RegistrationRequest"]["required"] == ["email", "password", "username"]


def test_takes_special_requirements_as_a_plain_text_too() -> None:
    given = schemas()["BookingCreateRequest"]["properties"]["special_requirements"]["oneOf"]

    assert [kind["type"] for kind in given] == ["object", "string"]


def test_names_the_headers_of_answers() -> None:
    headers = {
        name: set(operations()[name].described["responses"][status]["headers"])
        for name, status in [
            ("events_retrieve", "304"),
            ("events_partial_update", "200"),
            ("events_duplicate", "201"),
            ("bookings_create", "201"),
        ]
    }

    assert headers["events_retrieve"] == headers["events_partial_update"] == {"X-Request-ID", "ETag"}
    assert headers["events_duplicate"] == {"X-Request-ID", "Location"}
    assert headers["bookings_create"] == {"X-Request-ID", "Idempotency-Replayed", "Location"}


def test_takes_ids_as_whole_numbers() -> None:
    for name, operation in operations().items():
        for parameter in operation.described.get("parameters", []):
            assert parameter["schema"].get("type") != "number", f"{name}: {parameter['name']}"


def test_explains_the_filters_of_events() -> None:
    """EVT-8"""
    filters = operations()["events_list"].described["parameters"]

    assert [it["name"] for it in filters if not it.get("description") and "enum" not in it["schema"]] == []


def test_lets_nobody_write_what_is_read_only() -> None:
    for name, schema in schemas().items():
        if name.endswith("Request"):
            assert not [field for field, it in schema.get("properties", {}).items() if it.get("readOnly")], name


@pytest.mark.parametrize("operation_id", OPERATION_IDS)
def test_describes_each_operation(operation_id: str) -> None:
    described = operations()[operation_id].described

    assert described["summary"]
    assert described["tags"]
    statuses = set(described["responses"])
    assert {"400", "401", "406", "429", "503"} <= statuses
    assert any(status.startswith("2") for status in statuses)
    assert set(described["x-error-codes"]) <= set(error_codes())
    for status, response in described["responses"].items():
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"], status


def test_demands_a_token_for_all_that_is_not_public() -> None:
    public = {operation.id for operation in operations().values() if {} in operation.described.get("security", [{}])}

    assert public == {
        "auth_email_confirm",
        "auth_email_verify",
        "auth_password_reset",
        "auth_password_reset_confirm",
        "auth_logout",  # takes the refresh token in its body instead
        "auth_token",
        "auth_token_refresh",
        "auth_token_verify",
        "downloads_read",  # its token is in the address
        "events_availability",
        "events_eligibility",
        "events_calendar",
        "events_list",
        "events_retrieve",
        "events_sessions_list",
        "meta_retrieve",
        "organizers_calendar",
        "organizers_retrieve",
        "payments_callbacks",  # its signature is in a header
        "sessions_list",
        "sessions_retrieve",
        "ticket_types_list",
        "ticket_types_retrieve",
        "users_create",
    }


def _components(node: Any) -> set[str]:
    """Return the names of the components that a part of the document leads to."""
    found: set[str] = set()
    left = [node]
    while left:
        item = left.pop()
        if isinstance(item, list):
            left += item
        elif isinstance(item, dict):
            left += item.values()
            prefix, _, name = str(item.get("$ref", "")).rpartition("/")
            if prefix == "#/components/schemas" and name not in found:
                found.add(name)
                left.append(schemas()[name])
    return found
