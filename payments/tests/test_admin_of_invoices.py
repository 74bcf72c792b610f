"""Invoices in the admin: downloaded, exported and marked as sent by those who sold (ADM-1, ADM-2, ADM-3)."""

import csv
import hashlib
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from eventhub_config.tests.admin_pages import browser, messages_of
from events.tests.factories import NOW
from payments.models import Invoice
from payments.services import mark_as_sent
from payments.tests.invoices import a_credit_note, a_seller, an_invoice
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/admin/payments/invoice/"


def act(client: Client, action: str, *invoices: Invoice, **more: Any) -> Any:
    chosen = {"action": action, "index": 0, "_selected_action": [invoice.pk for invoice in invoices]}
    return client.post(PAGE, chosen | more)


def test_downloads_the_document() -> None:
    invoice = an_invoice()

    for person in (invoice.booking.event.organizer, an_admin()):
        response = act(browser(person), "invoice_as_pdf", invoice)

        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
        assert hashlib.sha256(response.content).hexdigest() == invoice.pdf_sha256


def test_a_file_holds_one_invoice() -> None:
    seller = a_seller()
    invoices = [an_invoice(organizer=seller) for _ in range(2)]

    refused = act(browser(seller), "invoice_as_pdf", *invoices)

    assert messages_of(refused) == ["Choose one row: a file holds one invoice."]


def test_marks_several_as_sent() -> None:
    seller = a_seller()
    invoices = [an_invoice(organizer=seller) for _ in range(3)]
    client = browser(seller)

    done = act(client, "mark_as_sent_selected", *invoices[:2])

    assert messages_of(done) == ["2 invoices marked as sent."]
    sent = Invoice.objects.filter(sent_at=NOW).order_by("pk")
    assert list(sent.values_list("pk", flat=True)) == [invoice.pk for invoice in invoices[:2]]
    assert [client.get(f"{PAGE}?sent={which}").context["cl"].result_count for which in ("yes", "no")] == [2, 1]


def test_offers_on_an_invoice_what_makes_sense() -> None:
    invoice = an_invoice()
    client = browser(invoice.booking.event.organizer)

    def offered() -> dict[str, str]:
        return dict(client.get(f"{PAGE}{invoice.pk}/change/").context["row_actions"])

    assert offered() == {"invoice_as_pdf": "PDF", "mark_as_sent_selected": "Mark as sent"}
    mark_as_sent(invoice_id=invoice.pk, actor=an_admin(), now=NOW)
    assert offered() == {"invoice_as_pdf": "PDF"}


def test_exports_the_chosen_rows() -> None:
    seller = a_seller()
    invoice = an_invoice(organizer=seller)
    note = a_credit_note(invoice, "5.00")
    an_invoice(organizer=seller)

    response = act(browser(seller), "export_selected", invoice, note)

    rows = list(csv.DictReader(StringIO(response.content.decode("utf-8-sig"))))
    assert [(row["number"], row["gross"]) for row in rows] == [(invoice.number, "25.00"), (note.number, "-5.00")]


@pytest.mark.parametrize("action", ["invoice_as_pdf", "mark_as_sent_selected", "export_selected"])
def test_does_nothing_with_somebody_elses(action: str) -> None:
    mine, foreign = an_invoice(organizer=an_organizer()), an_invoice()

    response = act(browser(mine.booking.event.organizer), action, foreign)

    assert foreign.number.encode() not in response.content
    assert not Invoice.objects.filter(sent_at__isnull=False).exists()


def test_documents_are_listed_without_reading_them() -> None:
    seller = a_seller()
    invoice = an_invoice(organizer=seller)
    an_invoice()

    page = browser(seller).get("/admin/payments/invoicedocument/")

    assert page.context["cl"].result_count == 1
    assert invoice.pdf_sha256.encode() in page.content
    assert browser(seller).get(f"/admin/payments/invoicedocument/{invoice.pk}/change/").status_code == 200
