"""A refund that did not go through is shown, told to those who run the event, and tried again or paid by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking
from eventhub_config.shared.integrity import all_checks
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.periodic import all_jobs
from events.tests.factories import NOW
from payments.gateway import GatewayUnavailableError
from payments.gateways.mock import MockGateway
from payments.models import Invoice, MockGatewayEntry, Payment, Refund
from payments.services import refund_surplus, send_refund
from payments.tests.factories import a_paid_booking
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LATER = NOW + timedelta(days=3)


def a_failed_refund(token: str = "tok_refund_fails", **values: Any) -> Refund:
    """Return the refund of a cancelled booking that its gateway refused."""
    booking = a_paid_booking(token=token, price="25.00", **values)
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    refund = Refund.objects.get(payment__booking=booking)
    send_refund(refund_id=refund.pk, now=NOW)
    refund.refresh_from_db()
    return refund


@pytest.fixture
def silence() -> Iterator[None]:
    """The gateway gives no answer to anything about refunds."""
    error = GatewayUnavailableError("Nobody there.")
    with (
        mock.patch.object(MockGateway, "refund", side_effect=error),
        mock.patch.object(MockGateway, "find_refund", side_effect=error),
    ):
        yield


def a_refund_without_an_answer() -> Refund:
    """Return a refund that was given up: each time that it was asked for, the answer was lost."""
    booking = a_paid_booking(price="25.00")
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    refund = Refund.objects.get()
    moment = NOW
    with (
        mock.patch.object(MockGateway, "refund", side_effect=GatewayUnavailableError("Nobody there.")),
        mock.patch.object(MockGateway, "find_refund", return_value=None),
    ):
        while refund.parked_at is None:
            send_refund(refund_id=refund.pk, now=moment)
            refund.refresh_from_db()
            moment += timedelta(hours=1)
    return refund


def retry(refund: Refund, by: CustomUser | None = None) -> Any:
    return a_client_of(by or organizer_of(refund)).post(f"/api/refunds/{refund.pk}/retry/")


def mark_as_paid(refund: Refund, by: CustomUser | None = None, note: str = "In cash") -> Any:
    return a_client_of(by or organizer_of(refund)).post(f"/api/refunds/{refund.pk}/mark_as_paid/", {"note": note})


def organizer_of(refund: Refund) -> CustomUser:
    return refund.payment.booking.event.organizer


def the_gateway_has_changed_its_mind() -> None:
    MockGatewayEntry.objects.filter(kind="charge").update(script="tok_success")


def settle_everything(now: datetime = LATER) -> None:
    for _ in range(4):
        for job in all_jobs().values():
            job.run(now)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def given_back() -> Decimal:
    entries = MockGatewayEntry.objects.filter(kind="refund", succeeded=True)
    return sum((entry.amount for entry in entries), Decimal(0))


def test_it_says_so() -> None:
    """PAY-5"""
    refund = a_failed_refund()

    body = a_client_of(refund.payment.booking.user).get(f"/api/refunds/{refund.pk}/").json()

    assert (body["status"], body["failure_code"], body["is_given_up"]) == ("failed", refund.failure_code, True)
    assert (body["booking"], body["currency"], body["by_hand_note"]) == (refund.payment.booking_id, "EUR", "")
    assert refund.failure_code != ""
    assert Payment.objects.get().refunded_amount == Decimal(0)


def test_the_list_finds_it_among_others() -> None:
    refund = a_failed_refund()
    fine = a_failed_refund(token="tok_success")
    client, event = a_client_of(an_admin()), refund.payment.booking.event_id
    filters: dict[str, Any] = {
        "is_given_up=true": [refund.pk],
        "is_given_up=false": [fine.pk],
        "status=failed": [refund.pk],
        f"booking={fine.payment.booking_id}": [fine.pk],
        f"event={event}": [refund.pk],
        f"created_before={NOW:%Y-%m-%dT%H:%M:%SZ}": [],
        f"created_after={NOW:%Y-%m-%dT%H:%M:%SZ}": [fine.pk, refund.pk],
    }

    found = {query: [row["id"] for row in client.get(f"/api/refunds/?{query}").json()["results"]] for query in filters}

    assert found == filters


def test_tried_again_it_is_asked_for_under_a_new_key() -> None:
    """RELIABILITY C6: the old key would only repeat the old answer."""
    refund = a_failed_refund()
    old_key = refund.gateway_key
    the_gateway_has_changed_its_mind()

    response = retry(refund)
    settle_everything(NOW)

    refund.refresh_from_db()
    assert (response.status_code, response.json()["status"], response.json()["is_given_up"]) == (
        200, "processing", False
    )  # fmt: skip
    assert (refund.status, refund.failure_code, refund.parked_at) == ("completed", "", None)
    assert refund.gateway_key != old_key
    assert given_back() == Decimal("25.00")
    assert findings() == []


def test_the_history_names_who_tried_it_again_and_what_failed() -> None:
    refund = a_failed_refund()
    reference, code = refund.gateway_reference, refund.failure_code

    retry(refund)

    change = StatusChange.objects.filter(subject_type="payments.refund", subject_id=refund.pk).latest("pk")
    assert (change.from_status, change.to_status, change.actor) == (
        "failed", "processing", f"user:{organizer_of(refund).pk}"
    )  # fmt: skip
    assert change.note == f"Before, {reference} failed: {code}"


def test_it_can_fail_again_and_again() -> None:
    refund = a_failed_refund()

    answers = []
    for _ in range(3):
        answers.append(retry(refund).status_code)
        settle_everything(NOW)
    refund.refresh_from_db()

    assert answers == [200, 200, 200]
    assert (refund.status, given_back()) == ("failed", Decimal(0))
    assert MockGatewayEntry.objects.filter(kind="refund", succeeded=False).count() == 4


def test_given_up_without_an_answer_it_keeps_its_key() -> None:
    """RELIABILITY C5: the gateway may have given the money back; another key would give it back twice."""
    refund = a_refund_without_an_answer()
    MockGateway().refund(order_of(refund))  # and here is the answer that never came
    old_key = refund.gateway_key

    response = retry(refund)
    settle_everything()

    refund.refresh_from_db()
    assert response.status_code == 200
    assert (refund.status, refund.gateway_key) == ("completed", old_key)
    assert given_back() == Decimal("25.00")
    assert findings() == []


def order_of(refund: Refund) -> Any:
    from payments.services.refunding import order_of_refund

    return order_of_refund(refund)


def test_one_that_is_on_its_way_or_arrived_cannot_be_tried_again() -> None:
    booking = a_paid_booking(price="25.00")
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    refund = Refund.objects.get()

    requested = retry(refund)
    send_refund(refund_id=refund.pk, now=NOW)
    completed = retry(refund)

    assert [(it.status_code, it.json()["code"]) for it in (requested, completed)] == [(409, "invalid_transition")] * 2
    assert given_back() == Decimal("25.00")


def test_what_went_back_otherwise_meanwhile_cannot_go_back_again() -> None:
    """RELIABILITY C4"""
    refund = a_failed_refund()
    the_gateway_has_changed_its_mind()
    refund_surplus(booking=refund.payment.booking, reason="Again", actor=organizer_of(refund), now=NOW)
    settle_everything(NOW)

    answers = [retry(refund), mark_as_paid(refund)]

    assert [(it.status_code, it.json()["code"]) for it in answers] == [(409, "refund_exceeds_payment")] * 2
    assert given_back() == Decimal("25.00")
    assert Payment.objects.get().refunded_amount == Decimal("25.00")


def test_paid_by_hand_it_is_completed_and_says_how() -> None:
    refund = a_failed_refund()

    response = mark_as_paid(refund, note="By bank transfer on 3 March")
    settle_everything()

    body = response.json()
    refund.refresh_from_db()
    assert (response.status_code, body["status"], body["by_hand_note"]) == (
        200, "completed", "By bank transfer on 3 March"
    )  # fmt: skip
    assert (refund.completed_at, refund.parked_at, refund.failure_code) == (NOW, None, "")
    assert (Payment.objects.get().status, given_back()) == ("refunded", Decimal(0))
    assert Invoice.objects.get(kind="credit_note").total == Decimal("-25.00")
    changes = StatusChange.objects.filter(subject_type="payments.refund", subject_id=refund.pk).order_by("pk")
    assert [change.to_status for change in changes][-2:] == ["processing", "completed"]
    assert findings() == []


def test_one_without_an_answer_can_be_paid_by_hand_if_its_gateway_knows_nothing_of_it() -> None:
    refund = a_refund_without_an_answer()

    response = mark_as_paid(refund)
    settle_everything()

    assert (response.status_code, response.json()["status"]) == (200, "completed")
    assert given_back() == Decimal(0)
    assert findings() == []


def test_one_that_its_gateway_gave_back_after_all_is_not_paid_by_hand_too() -> None:
    """RELIABILITY C5"""
    refund = a_refund_without_an_answer()
    MockGateway().refund(order_of(refund))

    response = mark_as_paid(refund)
    settle_everything()

    refund.refresh_from_db()
    assert (response.status_code, response.json()["code"]) == (409, "already_refunded")
    assert (refund.status, refund.by_hand_note) == ("completed", "")
    assert given_back() == Decimal("25.00")
    assert findings() == []


@pytest.mark.usefixtures("silence")
def test_nothing_is_paid_by_hand_while_the_gateway_cannot_be_asked() -> None:
    refund = a_refund_without_an_answer()
    before = Refund.objects.values().get()

    response = mark_as_paid(refund)

    assert (response.status_code, response.json()["code"]) == (503, "gateway_unavailable")
    assert response["Retry-After"] == "30"
    assert Refund.objects.values().get() == before


def test_one_that_is_on_its_way_is_not_paid_by_hand() -> None:
    booking = a_paid_booking(token="tok_refund_pending", price="25.00")
    cancel_booking(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)
    refund = Refund.objects.get()

    requested = mark_as_paid(refund)
    send_refund(refund_id=refund.pk, now=NOW)
    processing = mark_as_paid(refund)

    refund.refresh_from_db()
    assert [(it.status_code, it.json()["code"]) for it in (requested, processing)] == [(409, "invalid_transition")] * 2
    assert (refund.status, refund.by_hand_note) == ("processing", "")


def test_paying_it_by_hand_twice_counts_once() -> None:
    refund = a_failed_refund()

    answers = [mark_as_paid(refund).status_code, mark_as_paid(refund).status_code]

    assert answers == [200, 409]
    assert Payment.objects.get().refunded_amount == Decimal("25.00")


@pytest.mark.parametrize("note", ["", " ", "x" * 256, "a\nb"])
def test_how_it_was_paid_has_to_be_said(note: str) -> None:
    refund = a_failed_refund()

    response = mark_as_paid(refund, note=note)

    assert (response.status_code, [it["field"] for it in response.json()["errors"]]) == (400, ["note"])
    assert Refund.objects.get().status == "failed"


@pytest.mark.parametrize("act", [retry, mark_as_paid])
def test_only_those_who_run_the_event_may(act: Any) -> None:
    refund = a_failed_refund()

    answers = [act(refund, by=person).status_code for person in (refund.payment.booking.user, a_user(), an_organizer())]

    assert answers == [403, 403, 404]
    assert Refund.objects.get().status == "failed"
    assert act(refund, by=an_admin()).status_code == 200


def test_a_part_that_failed_can_be_tried_again_while_the_booking_stands() -> None:
    booking = a_paid_booking(token="tok_refund_fails", price="25.00")
    payment = Payment.objects.get()
    organizer = booking.event.organizer
    path = f"/api/payments/{payment.pk}/refund/"
    a_client_of(organizer).post(path, {"amount": "10.00", "reason": "The sound was bad"})
    settle_everything(NOW)
    refund = Refund.objects.get()
    the_gateway_has_changed_its_mind()

    retry(refund)
    settle_everything(NOW)

    assert (Refund.objects.get().status, Booking.objects.get().amount_due) == ("completed", Decimal("15.00"))
    assert given_back() == Decimal("10.00")
    assert findings() == []
