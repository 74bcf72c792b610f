"""Organizers give money back, record it and take up again what was given up, from the same pages that show it."""

from decimal import Decimal
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.admin_pages import browser, messages_of
from events.tests.factories import NOW, an_event
from payments.models import GatewayCallback, InvoiceRequest, MockGatewayEntry, Payment, Refund
from payments.services import record_payment, send_refund
from payments.tests.factories import a_paid_booking, a_payment
from users.models import CustomUser
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def act(person: CustomUser, name: str, action: str, *pks: int, **form: Any) -> Any:
    """Answer the page that asks before an action."""
    sent = {"action": action, "index": 0, "_selected_action": pks, "confirmed": "yes"} | form
    return browser(person).post(f"/admin/payments/{name}/", sent)


def a_failed_refund(organizer: CustomUser) -> Refund:
    booking = a_paid_booking(event=an_event(organizer=organizer, price=25), token="tok_refund_fails")
    cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
    refund = Refund.objects.get(payment__booking=booking)
    send_refund(refund_id=refund.pk, now=NOW)
    refund.refresh_from_db()
    return refund


def test_a_part_goes_back_with_its_reason() -> None:
    """ADM-1, ADM-3"""
    booking = a_paid_booking(price="25.00")
    payment = Payment.objects.get()
    person = booking.event.organizer

    asked = browser(person).post(
        "/admin/payments/payment/", {"action": "give_back_selected", "index": 0, "_selected_action": payment.pk}
    )
    done = act(person, "payment", "give_back_selected", payment.pk, amount="10", reason="The sound was bad", once="1")

    refund = Refund.objects.get()
    assert f"25.00 EUR for booking {booking.reference}" in asked.content.decode()
    assert messages_of(done) == ["1 payment given back."]
    assert (refund.amount, refund.reason) == (Decimal(10), "The sound was bad")
    assert StatusChange.objects.get(subject_type="payments.refund").actor == f"user:{person.pk}"
    assert Booking.objects.get().amount_due == Decimal(15)


def test_a_form_that_is_sent_twice_gives_back_once() -> None:
    """PAY-6"""
    booking = a_paid_booking(price="25.00")
    payment, person = Payment.objects.get(), booking.event.organizer

    for once in ("1", "1", "2"):
        act(person, "payment", "give_back_selected", payment.pk, amount="5", reason="Rain", once=once)

    assert [refund.amount for refund in Refund.objects.all()] == [Decimal(5), Decimal(5)]


def test_whoever_gives_back_again_is_told_what_is_on_its_way() -> None:
    booking = a_paid_booking(price="25.00")
    payment, person = Payment.objects.get(), booking.event.organizer
    act(person, "payment", "give_back_selected", payment.pk, amount="10", reason="Rain", once="1")

    asked = browser(person).post(
        "/admin/payments/payment/", {"action": "give_back_selected", "index": 0, "_selected_action": payment.pk}
    )

    assert Refund.objects.get().status == "requested"
    assert "10.00 EUR given back or on its way" in asked.content.decode()


def test_several_go_back_whole_and_each_refusal_is_named() -> None:
    organizer = an_organizer()
    event = an_event(organizer=organizer, price=25)
    bookings = [a_paid_booking(booking=a_booking(event=event)) for _ in range(2)]
    a_payment(booking=a_booking(event=event))
    payments = list(Payment.objects.order_by("pk"))

    done = act(
        organizer, "payment", "give_back_selected", *(it.pk for it in payments), amount="", reason="Rain", once="1"
    )

    assert messages_of(done) == [
        f"{payments[2]}: No money came in with this payment, so none can go back.",
        "2 payments given back.",
    ]
    assert {booking.status for booking in Booking.objects.filter(pk__in=[it.pk for it in bookings])} == {"cancelled"}


@pytest.mark.parametrize("form", [{"amount": "5", "reason": ""}, {"amount": "5,x", "reason": "Rain"}])
def test_what_is_missing_is_asked_for_again(form: dict[str, str]) -> None:
    booking = a_paid_booking(price="25.00")

    page = act(booking.event.organizer, "payment", "give_back_selected", Payment.objects.get().pk, once="1", **form)

    assert page.status_code == 200
    assert page.context["form"].errors
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("amount", ["-1", "0", "0.001", "25.01"])
def test_amounts_are_refused_as_by_the_api(amount: str) -> None:
    booking = a_paid_booking(price="25.00")
    payment, person = Payment.objects.get(), booking.event.organizer

    act(person, "payment", "give_back_selected", payment.pk, amount=amount, reason="x", once="1")

    assert Refund.objects.count() == 0
    assert Booking.objects.get().amount_due == Decimal(25)


def test_somebody_elses_payment_is_not_there() -> None:
    """ADM-2"""
    a_paid_booking(price="25.00")

    act(an_organizer(), "payment", "give_back_selected", Payment.objects.get().pk, amount="5", reason="x", once="1")

    assert Refund.objects.count() == 0


def test_a_failed_refund_is_found_and_tried_again() -> None:
    organizer = an_organizer()
    refund = a_failed_refund(organizer)
    other = a_paid_booking(event=an_event(organizer=organizer, price=25))
    cancel_booking(booking_id=other.pk, actor=organizer, now=NOW)
    MockGatewayEntry.objects.filter(kind="charge").update(script="tok_success")

    found = browser(organizer).get("/admin/payments/refund/?needs_attention=yes").context["cl"].result_list
    offered = browser(organizer).get(f"/admin/payments/refund/{refund.pk}/change/").context["row_actions"]
    done = act(organizer, "refund", "try_again_selected", refund.pk)
    send_refund(refund_id=refund.pk, now=NOW)

    refund.refresh_from_db()
    assert [row.pk for row in found] == [refund.pk]
    assert [label for _name, label in offered] == ["Try again", "Mark as paid by hand"]
    assert messages_of(done) == ["1 refund taken up again."]
    assert refund.status == "completed"


def test_a_failed_refund_is_marked_as_paid_by_hand() -> None:
    organizer = an_organizer()
    refund = a_failed_refund(organizer)

    without_note = act(organizer, "refund", "mark_as_paid_selected", refund.pk, note="")
    done = act(organizer, "refund", "mark_as_paid_selected", refund.pk, note="In cash")
    again = act(organizer, "refund", "mark_as_paid_selected", refund.pk, note="In cash")

    refund.refresh_from_db()
    assert without_note.context["form"].errors
    assert messages_of(done) == ["1 refund marked as paid."]
    assert messages_of(again) == [f"{refund}: This refund is completed already."]
    assert (refund.status, refund.by_hand_note) == ("completed", "In cash")


def test_money_that_people_took_is_offered_to_be_marked_as_paid_back() -> None:
    booking = a_booking(price="25.00")
    organizer = booking.event.organizer
    record_payment(booking_id=booking.pk, method="cash", note="", actor=organizer, now=NOW)
    cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
    refund = Refund.objects.get()

    offered = browser(organizer).get(f"/admin/payments/refund/{refund.pk}/change/").context["row_actions"]

    assert [label for _name, label in offered] == ["Mark as paid by hand"]


def test_a_payment_by_hand_is_recorded_from_the_page_of_its_booking() -> None:
    booking = a_booking(price="25.00")
    client = browser(booking.event.organizer)

    links = dict(client.get(f"/admin/bookings/booking/{booking.pk}/change/").context["row_links"])
    page = client.get(links["Record a payment by hand"])
    done = client.post(links["Record a payment by hand"], {"method": "cash", "note": "Receipt 17"})
    again = client.post(links["Record a payment by hand"], {"method": "cash", "note": "Receipt 17"})

    payment = Payment.objects.get()
    assert f"25.00 EUR for booking {booking.reference}" in page.content.decode()
    assert done["Location"] == f"/admin/bookings/booking/{booking.pk}/change/"
    assert (payment.status, payment.method, payment.note, payment.gateway) == (
        "completed", "cash", "Receipt 17", "by_hand"
    )  # fmt: skip
    assert again.context["form"].non_field_errors() == ["Nothing is owed for this booking."]
    assert "Record a payment by hand" not in dict(
        client.get(f"/admin/bookings/booking/{booking.pk}/change/").context["row_links"]
    )


def test_nobody_records_for_somebody_elses_booking() -> None:
    booking = a_booking(price="25.00")
    client = browser(an_organizer())

    answers = [
        client.post(f"/admin/payments/payment/record/{pk}/", {"method": "cash"}) for pk in (booking.pk, 10**6, 10**30)
    ]

    assert {it.status_code for it in answers} == {302}
    assert Payment.objects.count() == 0


def test_work_that_was_given_up_is_taken_up_again_by_administrators() -> None:
    a_paid_booking(price="25.00")
    callback = GatewayCallback.objects.create(
        gateway="mock", event_id="e1", type="charge.succeeded", subject="charge", key="k", payload={}, received_at=NOW
    )
    given_up = {"parked_at": NOW, "attempts": 8, "next_attempt_at": None, "last_error": "No luck"}
    for rows in (InvoiceRequest.objects, GatewayCallback.objects):
        rows.update(**given_up)
    payment = a_payment()
    Payment.objects.filter(pk=payment.pk).update(status="processing", **given_up)

    done = [
        act(an_admin(), "payment", "try_again_selected", payment.pk),
        act(an_admin(), "invoicerequest", "try_again_selected", InvoiceRequest.objects.get().pk),
        act(an_admin(), "gatewaycallback", "try_again_selected", callback.pk),
    ]
    refused = act(an_admin(), "gatewaycallback", "try_again_selected", callback.pk)

    assert [messages_of(it) for it in done] == [
        ["1 payment taken up again."], ["1 invoice request taken up again."], ["1 gateway callback taken up again."]
    ]  # fmt: skip
    for row in (Payment.objects.get(pk=payment.pk), InvoiceRequest.objects.get(), GatewayCallback.objects.get()):
        assert (row.parked_at, row.next_attempt_at, row.attempts) == (None, NOW, 1)
    assert messages_of(refused) == [
        f"{callback}: This was not given up: it is on its way, or will be tried again by itself."
    ]
