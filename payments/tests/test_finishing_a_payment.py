"""A payment that asks for its person is finished on the mock gateway's page, and nowhere else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking
from events.tests.factories import NOW
from payments.models import MockGatewayEntry, Payment
from payments.services import process_payment, time_out_payment
from payments.tests.factories import a_processed_payment
from users.tests.factories import a_client, tokens_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOUR = 3600


def a_question(**values: Any) -> tuple[Payment, str]:
    """Return a payment that waits for its person, and the path of the page that its front end sends them to."""
    payment = a_processed_payment(token="tok_action_required", **values)
    return payment, f"/mock-gateway/{payment.gateway_reference}/"


def decided() -> tuple[bool | None, bool]:
    entry = MockGatewayEntry.objects.get()
    return entry.succeeded, entry.awaits_person


def test_the_front_end_is_told_where_to_send_the_person(settings: Any) -> None:
    """PAY-1"""
    settings.PUBLIC_URL = "https://events.example.org"
    payment, path = a_question()
    client = a_client(tokens_for(payment.booking.user))

    body = client.get(f"/api/payments/{payment.pk}/").json()

    assert (body["status"], body["next_action"]) == (
        "processing",
        {"type": "redirect", "url": f"https://events.example.org{path}"},
    )


def test_the_page_shows_what_is_paid_and_that_it_is_no_real_money() -> None:
    _payment, path = a_question(price="1234.50")

    answer = Client().get(path)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "1234.50 EUR" in page
    assert "no real money moves" in page
    assert page.count("<button") == 2
    assert answer["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "form-action 'self' https://eventhub.example;" in answer["Content-Security-Policy"]
    assert decided() == (None, True)


@pytest.mark.parametrize(
    ("decision", "succeeded", "status", "code"),
    [("approve", True, "completed", ""), ("decline", False, "failed", "declined_by_person")],
)
def test_the_person_decides_and_goes_back(decision: str, succeeded: bool, status: str, code: str) -> None:
    """PAY-1, PAY-2"""
    payment, path = a_question()

    answer = Client().post(path, {"decision": decision})

    assert (answer.status_code, answer["Location"]) == (
        303,
        f"https://eventhub.example/bookings/{payment.booking_id}",
    )
    assert decided() == (succeeded, False)
    assert payment.next_attempt_at is not None
    process_payment(payment_id=payment.pk, now=payment.next_attempt_at)
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code, payment.next_action_url) == (status, code, "")
    assert Booking.objects.get().status == ("confirmed" if succeeded else "pending")


def test_a_second_decision_changes_nothing() -> None:
    _payment, path = a_question()
    Client().post(path, {"decision": "approve"})

    answer = Client().post(path, {"decision": "decline"})

    assert answer.status_code == 409
    assert "was approved" in answer.content.decode()
    assert decided() == (True, False)
    assert Client().get(path).content.count(b"<button") == 0


def test_what_was_timed_out_cannot_be_approved_any_more() -> None:
    """RELIABILITY C1: the gateway itself refuses, so no money can come."""
    payment, path = a_question()
    time_out_payment(payment_id=payment.pk, now=NOW + timedelta(hours=1))

    answer = Client().post(path, {"decision": "approve"})

    assert (answer.status_code, decided()) == (409, (False, False))
    assert "was not made" in answer.content.decode()


def test_neither_yes_nor_no_decides_nothing() -> None:
    _payment, path = a_question()

    assert Client().post(path, {"decision": "maybe"}).status_code == 400
    assert decided() == (None, True)


def test_the_form_carries_a_token_of_its_own() -> None:
    """Another site cannot press the button."""
    _payment, path = a_question()
    browser = Client(enforce_csrf_checks=True)

    assert browser.post(path, {"decision": "approve"}).status_code == 403
    assert decided() == (None, True)

    token = browser.get(path).content.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert browser.post(path, {"decision": "approve", "csrfmiddlewaretoken": token}).status_code == 303


@pytest.mark.parametrize("return_url", ["", "https://evil.example/", "https://eventhub.example.evil/", "javascript:x"])
def test_nobody_is_sent_to_a_place_that_is_not_ours(return_url: str) -> None:
    _payment, path = a_question()
    MockGatewayEntry.objects.update(return_url=return_url)

    answer = Client().post(path, {"decision": "approve"})

    assert answer.status_code == 200
    assert "You may close this page." in answer.content.decode()
    assert return_url == "" or return_url not in answer.content.decode()
    assert "form-action 'self';" in answer["Content-Security-Policy"]


def test_without_a_front_end_the_person_stays_on_the_page(settings: Any) -> None:
    """The API has no page of bookings that one could go back to."""
    settings.FRONTEND_URL, settings.PUBLIC_URL = "", "https://events.example.org"
    _payment, path = a_question()

    answer = Client().post(path, {"decision": "approve"})

    assert (answer.status_code, decided()) == (200, (True, False))
    assert "was approved" in answer.content.decode()
    assert "Go back" not in answer.content.decode()
    assert "form-action 'self';" in answer["Content-Security-Policy"]


def test_what_waits_for_nobody_has_no_buttons() -> None:
    payment = a_processed_payment(token=f"tok_late_success:{HOUR}")

    answer = Client().get(f"/mock-gateway/{payment.gateway_reference}/")

    assert "being decided" in answer.content.decode()
    assert b"<button" not in answer.content
    assert Client().post(f"/mock-gateway/{payment.gateway_reference}/", {"decision": "approve"}).status_code == 409


def test_there_is_no_page_for_what_does_not_exist_or_another_gateway(settings: Any) -> None:
    _payment, path = a_question()
    assert Client().get("/mock-gateway/mock_ch_nowhere/").status_code == 404
    assert Client().put(path).status_code == 405

    settings.PAYMENT_GATEWAY = "stripe"

    assert Client().get(path).status_code == 404
    assert Client().post(path, {"decision": "approve"}).status_code == 404
    assert decided() == (None, True)
