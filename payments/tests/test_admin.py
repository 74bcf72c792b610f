"""Money in the admin: looked at by those whose events it is about, changed by nobody, returned by cancelling."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.services import cancel_booking
from eventhub_config.tests.admin_pages import browser, messages_of
from events.tests.factories import NOW, an_event
from payments.models import Invoice, InvoiceRequest, InvoiceSeries, Payment, Refund
from payments.services import issue_invoice, send_refund
from payments.tests.factories import a_paid_booking
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

MODELS: dict[str, Any] = {"payment": Payment, "refund": Refund, "invoice": Invoice, "invoiceseries": InvoiceSeries}


def a_money_story(organizer: CustomUser, **values: object) -> Booking:
    """Return a booking that was paid, invoiced, cancelled, given back and credited."""
    booking = a_paid_booking(event=an_event(organizer=organizer, price=25), **values)
    issue_all()
    cancel_booking(booking_id=booking.pk, actor=organizer, now=NOW)
    for refund in Refund.objects.filter(payment__booking=booking):
        send_refund(refund_id=refund.pk, now=NOW)
    issue_all()
    return booking


def issue_all() -> None:
    for request in InvoiceRequest.objects.filter(invoice=None):
        issue_invoice(request_id=request.pk, now=NOW)


def path_of(name: str) -> str:
    return f"/admin/payments/{name}/"


@pytest.mark.parametrize("name", MODELS)
def test_lists_have_the_money_of_ones_own_events_only(name: str):
    mine, other = an_organizer(), an_organizer()
    a_money_story(mine, user=a_user(email="guest@example.com"))
    foreign = a_money_story(other)
    a_paid_booking(user=mine)  # as an attendee of somebody else's event
    issue_all()
    client = browser(mine)
    kinds_of_rows = 2 if name in {"invoice", "invoiceseries"} else 1

    counts = [client.get(path_of(name) + tail).context["cl"].result_count for tail in ("", f"?q={foreign.reference}")]

    assert counts == [kinds_of_rows, 0]
    assert browser(an_admin()).get(path_of(name)).context["cl"].result_count == MODELS[name].objects.count()


@pytest.mark.parametrize("view", ["change", "history", "delete"])
@pytest.mark.parametrize("name", MODELS)
def test_somebody_elses_money_answers_like_none(name: str, view: str):
    mine = an_organizer()
    a_money_story(an_organizer())
    client = browser(mine)

    pks = [MODELS[name].objects.first().pk, 1_000_000]
    answers = [client.get(f"{path_of(name)}{pk}/{view}/") for pk in pks]

    statuses = {response.status_code for response in answers}
    assert statuses == ({403} if view == "delete" else {302})


@pytest.mark.parametrize("name", MODELS)
def test_nobody_adds_edits_or_deletes_money(name: str):
    organizer = an_organizer()
    a_money_story(organizer)
    model = MODELS[name]
    before = list(model.objects.order_by("pk").values())
    pk = before[0]["id"]

    for client in (browser(an_admin()), browser(organizer)):
        assert client.get(f"{path_of(name)}{pk}/change/").status_code == 200
        assert (
            client.post(f"{path_of(name)}{pk}/change/", {"amount": "1", "number": "X", "status": "failed"}).status_code
            == 403
        )
        assert client.post(f"{path_of(name)}{pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.post(f"{path_of(name)}add/", {"amount": "1"}).status_code == 403
        client.post(path_of(name), {"action": "delete_selected", "index": 0, "_selected_action": pk, "post": "yes"})

    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", ["invoicerequest", "mockgatewayentry"])
def test_the_machinery_is_for_administrators(name: str):
    organizer = an_organizer()
    a_money_story(organizer)

    assert browser(organizer).get(path_of(name)).status_code == 403
    assert browser(an_admin()).get(path_of(name)).context["cl"].result_count == 2


def test_what_the_gateway_was_given_is_not_shown():
    a_money_story(an_organizer())
    payment = Payment.objects.get()
    Payment.objects.update(token="tok_of_the_card")

    page = browser(an_admin()).get(f"{path_of('payment')}{payment.pk}/change/").content.decode()

    assert "tok_of_the_card" not in page
    assert payment.gateway_key not in page
    assert browser(an_admin()).get(f"{path_of('payment')}?token__startswith=tok").status_code == 400


def test_cancelling_bookings_in_bulk_returns_the_money_like_the_api():
    organizer = an_organizer()
    event = an_event(organizer=organizer, price=25)
    bookings = [a_paid_booking(event=event) for _ in range(3)]
    form = {"action": "cancel_selected", "index": 0, "_selected_action": [booking.pk for booking in bookings]}

    response = browser(organizer).post("/admin/bookings/booking/", form | {"confirmed": "yes", "reason": "Rain"})

    assert messages_of(response) == ["3 bookings cancelled."]
    refunds = Refund.objects.values_list("payment__booking", "amount", "reason", "status").order_by("pk")
    assert list(refunds) == [(booking.pk, Decimal(25), "Rain", "requested") for booking in bookings]
    event.refresh_from_db()
    assert event.seats_taken == 0
    assert set(Booking.objects.values_list("amount_due", flat=True)) == {0}


def test_an_invoice_is_shown_as_it_was_issued():
    organizer = an_organizer()
    a_money_story(organizer)
    invoice = Invoice.objects.get(kind="invoice")

    page = browser(organizer).get(f"{path_of('invoice')}{invoice.pk}/change/").content.decode()

    assert invoice.number in page
    assert "Zero to API: Standard" in page
    assert "25.00 EUR" in page


@pytest.mark.parametrize(("name", "statements"), [("payment", 7), ("refund", 7), ("invoice", 7)])
def test_a_longer_list_costs_no_more(name: str, statements: int):
    organizer = an_organizer()
    client = browser(organizer)
    counts = []  # session, user, filter choices, count, rows; permissions of the libraries' pages in the menu, twice
    for more in (3, 7):
        for _ in range(more):
            a_money_story(organizer)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path_of(name)).status_code == 200
        counts.append(len(queries))

    assert counts == [statements, statements]
