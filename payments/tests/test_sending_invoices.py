"""Handing invoices on: links, marks that they were sent, and a file for bookkeeping (PAY-4)."""

import csv
import hashlib
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.tests.factories import NOW
from payments import invoice_files
from payments.models import Invoice, Refund
from payments.services import mark_refund_as_paid, record_payment, send_refund
from payments.tests.factories import a_paid_booking
from payments.tests.invoices import a_credit_note, a_seller, an_invoice, invoice_of, issue_all
from users.models import CustomUser
from users.services import set_active
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def a_client(user: CustomUser) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def post(invoice: Invoice, verb: str, user: CustomUser) -> Any:
    return a_client(user).post(f"/api/invoices/{invoice.pk}/{verb}/")


# --- Links ---


def test_a_link_leads_whoever_has_it_to_the_document() -> None:
    invoice = an_invoice()

    made = post(invoice, "download_link", invoice.booking.user).json()

    file = APIClient().get(made["url"])
    assert made["expires_at"] == "2027-03-01T12:05:00Z"
    assert (file.status_code, file["Content-Type"]) == (200, "application/pdf")
    assert hashlib.sha256(file.content).hexdigest() == invoice.pdf_sha256


def test_a_link_ends_after_five_minutes_and_with_the_account() -> None:
    invoice = an_invoice()
    buyer = invoice.booking.user
    url = post(invoice, "download_link", buyer).json()["url"]

    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        assert APIClient().get(url).json()["code"] == "download_link_expired"
    set_active(user_id=buyer.pk, is_active=False, actor=an_admin(), now=NOW)
    assert APIClient().get(url).status_code == 404


def test_nobody_else_gets_a_link() -> None:
    invoice = an_invoice()

    assert post(invoice, "download_link", an_organizer()).status_code == 404


# --- Marks ---


def test_the_seller_marks_it_and_the_first_moment_stays() -> None:
    invoice = an_invoice()
    seller = invoice.booking.event.organizer

    first = post(invoice, "mark_as_sent", seller)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        second = post(invoice, "mark_as_sent", an_admin())

    assert (first.status_code, first.json()["sent_at"]) == (200, "2027-03-01T12:00:00Z")
    assert (second.status_code, second.json()["sent_at"]) == (200, "2027-03-01T12:00:00Z")


def test_the_buyer_does_not_mark_it() -> None:
    invoice = an_invoice()
    buyer_who_organizes = an_invoice(user=an_organizer())

    assert post(invoice, "mark_as_sent", invoice.booking.user).json()["code"] == "permission_denied"
    refused = post(buyer_who_organizes, "mark_as_sent", buyer_who_organizes.booking.user)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")
    assert not Invoice.objects.filter(sent_at__isnull=False).exists()


def test_the_list_tells_those_that_were_sent_and_those_of_an_event_apart() -> None:
    seller = a_seller()
    sent, other = an_invoice(organizer=seller), an_invoice(organizer=seller)
    post(sent, "mark_as_sent", seller)

    def listed(query: str) -> list[int]:
        return [row["id"] for row in a_client(seller).get(f"/api/invoices/?{query}").json()["results"]]

    assert (listed("is_sent=true"), listed("is_sent=false")) == ([sent.pk], [other.pk])
    assert listed(f"event={other.booking.event_id}") == [other.pk]
    assert a_client(seller).get("/api/invoices/?is_sent=perhaps").status_code == 400


# --- The file for bookkeeping ---


def exported(user: CustomUser, query: str = "") -> list[dict[str, str]]:
    response = a_client(user).get(f"/api/invoices/export/{query}")
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(StringIO(response.content.decode("utf-8-sig"))))


def test_has_invoices_and_credit_notes_with_amounts_to_add_up() -> None:
    invoice = an_invoice(price="119.00", organizer=a_seller(legal_name="=SUM(A1)"))
    note = a_credit_note(invoice, "11.90", "+49 30 123")

    first, second = exported(invoice.booking.event.organizer)

    assert (first["number"], first["kind"], first["corrects"]) == (invoice.number, "invoice", "")
    assert (first["net"], first["tax_rate"], first["tax"], first["gross"]) == ("100.00", "19.00", "19.00", "119.00")
    assert (second["number"], second["kind"], second["corrects"]) == (note.number, "credit_note", invoice.number)
    assert (second["net"], second["tax"], second["gross"], second["currency"]) == ("-10.00", "-1.90", "-11.90", "EUR")
    assert (first["seller"], second["reason"]) == ("'=SUM(A1)", "'+49 30 123")
    assert (first["paid_at"], first["method"], first["sent_at"]) == ("2027-03-01T12:00:00Z", "card", "")
    assert first["pdf_sha256"] == invoice.pdf_sha256


def test_says_who_bought_what_takes_place_when() -> None:
    """What a tax office asks of a line: the buyer's address and the day of supply."""
    billing = {"company": "Okafor Ltd", "address": "1 Sample Road", "postal_code": "E1 6AN", "city": "London"}
    booking = a_paid_booking(price=25)
    Booking.objects.filter(pk=booking.pk).update(billing=billing)
    invoice = invoice_of(booking)

    (row,) = exported(booking.event.organizer)

    assert {name: row[name] for name in billing} == billing
    assert (row["event_starts_at"], row["event_ends_at"]) == (invoice.supply["starts_at"], invoice.supply["ends_at"])


def test_finds_the_money_in_the_statements_of_the_gateway() -> None:
    invoice = an_invoice()
    note = a_credit_note(invoice, "25.00")

    first, second = exported(invoice.booking.event.organizer)

    assert note.refund is not None
    assert (first["gateway"], first["gateway_reference"]) == ("mock", invoice.payment.gateway_reference)
    assert (second["gateway"], second["gateway_reference"]) == ("mock", note.refund.gateway_reference)
    assert first["gateway_reference"].startswith("mock_ch_")
    assert second["gateway_reference"].startswith("mock_re_")


def test_says_what_people_noted_of_money_that_no_gateway_knows() -> None:
    booking = a_booking(price=25)
    seller = booking.event.organizer
    record_payment(booking_id=booking.pk, method="cash", note="Receipt 17", actor=seller, now=NOW)
    issue_all(NOW)
    cancel_booking(booking_id=booking.pk, actor=seller, now=NOW)
    refund = Refund.objects.get()
    send_refund(refund_id=refund.pk, now=NOW)
    mark_refund_as_paid(refund_id=refund.pk, note="From the till", actor=seller, now=NOW)
    issue_all(NOW)

    first, second = exported(seller)

    assert [(row["gateway"], row["gateway_reference"], row["note"]) for row in (first, second)] == [
        ("by_hand", "", "Receipt 17"),
        ("by_hand", "", "From the till"),
    ]


def test_has_what_the_list_has_and_takes_its_filters() -> None:
    seller = a_seller()
    mine, also_mine, foreign = an_invoice(organizer=seller), an_invoice(organizer=seller), an_invoice()

    assert [row["number"] for row in exported(seller)] == [mine.number, also_mine.number]
    assert [row["number"] for row in exported(foreign.booking.user)] == [foreign.number]
    assert [row["number"] for row in exported(seller, f"?event={also_mine.booking.event_id}")] == [also_mine.number]
    assert exported(seller, f"?event={foreign.booking.event_id}") == []
    assert exported(seller, "?issued_before=2027-03-01T12:00:00Z") == []
    assert len(exported(seller, "?issued_after=2027-03-01T12:00:00Z")) == 2
    assert exported(a_user()) == []
    for other in ("page", "ordering"):  # it has one order, and no pages
        refused = a_client(seller).get(f"/api/invoices/export/?{other}=number").json()
        assert [(error["field"], error["code"]) for error in refused["errors"]] == [(other, "unknown_parameter")]


def test_a_file_has_a_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    seller = a_seller()
    for _ in range(2):
        an_invoice(organizer=seller)

    monkeypatch.setattr(invoice_files, "MOST_ROWS", 2)
    assert len(exported(seller)) == 2
    monkeypatch.setattr(invoice_files, "MOST_ROWS", 1)
    response = a_client(seller).get("/api/invoices/export/")

    assert (response.status_code, response.json()["code"]) == (409, "too_many_rows")
