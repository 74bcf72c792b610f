"""Invoices as PDF: what a company's bookkeeping asks for, on pages that hold whatever was typed (PAY-4)."""

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from bookings.models import Booking
from eventhub_config.tests.paper import author_of, pages, texts
from payments.invoice_pdf import InvoicePaper
from payments.models import Invoice, InvoiceDocument
from payments.services.invoice_content import amounts_of, hash_of_content, with_net
from payments.tests.invoices import a_credit_note, a_seller, an_invoice
from payments.tests.tampering import unguarded
from users.models import CustomUser
from users.tests.factories import a_user, an_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

BILLING = {
    "name": "Ben Okafor", "company": "Okafor Ltd", "address": "12 Baker Street", "postal_code": "NW1 6XE",
    "city": "London", "country": "GB", "tax_id": "GB999999973",
}  # fmt: skip


def ask(invoice: Invoice, user: CustomUser, **headers: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.get(f"/api/invoices/{invoice.pk}/pdf/", **headers)


def drawn(invoice: Invoice) -> str:
    """Return all that stands on an invoice's pages."""
    return " ".join(texts(bytes(InvoiceDocument.objects.get(pk=invoice.pk).content)))


def like(invoice: Invoice, **changes: Any) -> Invoice:
    """Return an invoice with other content, which nobody issued."""
    values = {field.name: getattr(invoice, field.attname) for field in Invoice._meta.concrete_fields}
    related = {"series", "payment", "refund", "booking", "corrects"}
    plain = {f"{name}_id" if name in related else name: value for name, value in values.items()}
    return Invoice(**plain | changes)


def test_says_what_the_law_asks_for() -> None:
    """Directive 2006/112/EC, article 226: numbers 1 to 10."""
    invoice = an_invoice(price="24.99", seats=3, organizer=a_seller())
    with unguarded():
        Invoice._base_manager.filter(pk=invoice.pk).update(billing=BILLING)
    invoice.refresh_from_db()

    told = " ".join(texts(InvoicePaper(invoice).pdf()))

    for said in (
        "Invoice", invoice.number, "Date of issue 1 March 2027", "Date of supply 31 March 2027",
        "Bread & Co. GmbH", "Torstraße 140", "10119 Berlin", "Tax ID: DE123456789",
        "Okafor Ltd", "Ben Okafor", "12 Baker Street", "NW1 6XE London", "United Kingdom", "Tax ID: GB999999973",
        "Zero to API: Standard", "3 21.00 19 % 63.00 74.97", "Total excl. tax 63.00", "Tax 19 % on 63.00 11.97",
        "Total incl. tax 74.97 EUR", "Paid on 1 March 2027 by card. Nothing is left to pay.", "Page 1 of 1",
        "31 March 2027, 14:00 to 17:00 (Europe/Berlin)", "Town Hall", invoice.booking.reference,
    ):  # fmt: skip
        assert said in told, (said, told)


def test_a_credit_note_names_what_it_corrects() -> None:
    """Article 219"""
    invoice = an_invoice(price="119.00")

    told = drawn(a_credit_note(invoice, "11.90", "The projector failed."))

    for said in (
        "Credit note", f"Corrects invoice {invoice.number}", "dated 1 March 2027",
        f"Refund for invoice {invoice.number}: The projector failed.", "Total incl. tax -11.90 EUR",
        "Given back on 1 March 2027.",
    ):  # fmt: skip
        assert said in told, (said, told)


def test_without_tax_it_says_so() -> None:
    told = drawn(an_invoice(tax_rate="0.00"))

    assert "No tax is charged" in told
    assert "excl. tax" not in told


def test_a_seller_without_an_address_has_a_name() -> None:
    seller = a_seller(legal_name="", legal_address="", tax_id="")

    told = drawn(an_invoice(organizer=seller))

    assert seller.display_name in told
    assert "Tax ID" not in told


def test_many_lines_take_several_pages_and_none_is_lost() -> None:
    invoice = an_invoice()
    lines = [
        {"description": f"Kind {number} {'and more ' * (number % 30)}", "quantity": 2, "unit_price": "1.00",
         "total": "2.00"}
        for number in range(90)
    ]  # fmt: skip
    amounts = amounts_of(Decimal(180), Decimal(19), "EUR")
    told = with_net(lines, amounts.subtotal, Decimal(19), "EUR")

    sheets = texts(InvoicePaper(like(invoice, lines=told, **amounts._asdict())).pdf())

    assert len(sheets) > 3
    assert all(f"Page {number} of {len(sheets)}" in sheet for number, sheet in enumerate(sheets, 1))
    assert all(invoice.number in sheet and "Description" in sheet for sheet in sheets)
    everything = " ".join(sheets)
    assert all(f"Kind {number} " in everything for number in range(90))
    assert [("Total incl. tax" in sheet) for sheet in sheets] == [False] * (len(sheets) - 1) + [True]


@pytest.mark.parametrize("count", range(1, 30))
def test_the_sums_never_stand_alone(count: int) -> None:
    invoice = an_invoice()
    line = {"description": "Kind", "quantity": 1, "unit_price": "1.00", "total": "1.00"}
    amounts = amounts_of(Decimal(count), Decimal(19), "EUR")
    told = with_net([line] * count, amounts.subtotal, Decimal(19), "EUR")

    sheets = texts(InvoicePaper(like(invoice, lines=told, **amounts._asdict())).pdf())

    assert all("Kind" in sheet for sheet in sheets)
    assert "Total incl. tax" in sheets[-1]


HOSTILE = "<b>{0}</b> %s \x01\u202e " * 12


@pytest.mark.parametrize(
    "text", [HOSTILE, "W" * 160, "漢字のイベント", "محمد بن سلمان", "🎉", "नमस्ते " * 20, "\n\n\t\n", ""]
)
def test_whatever_was_typed_stays_on_the_page(text: str) -> None:
    invoice = an_invoice()
    billing = {name: "GB" if name == "country" else text for name in BILLING}
    said = like(
        invoice,
        seller={"name": text, "address": f"{text}\n" * 12, "tax_id": text[:40]},
        billing=billing,
        supply=invoice.supply | {"event": text, "place": text},
        lines=[line | {"description": text} for line in invoice.lines],
    )

    content = InvoicePaper(said).pdf()

    for page in pages(content):
        # Nothing is drawn into the margins.
        width, height = page.size
        left, right = (0, 0, 50, height), (width - 50, 0, width, height)
        above, below = (0, 0, width, 40), (0, height - 30, width, height)
        for box in (left, right, above, below):
            assert page.convert("L").crop(box).getextrema() == (255, 255), box
    assert "Total incl. tax 25.00 EUR" in texts(content)[-1]


def test_a_name_that_cannot_be_printed_gives_way_to_the_booking() -> None:
    invoice = an_invoice()

    content = InvoicePaper(like(invoice, billing=invoice.billing | {"name": "漢字"})).pdf()

    told = texts(content)[0]
    assert f"Holder of booking {invoice.supply['booking_reference']}" in told
    assert "letters that cannot be printed" in told


def test_the_same_content_is_the_same_bytes() -> None:
    invoice = an_invoice()

    assert InvoicePaper(invoice).pdf() == InvoicePaper(Invoice.objects.get(pk=invoice.pk)).pdf()
    assert InvoicePaper(invoice).pdf() == bytes(InvoiceDocument.objects.get(pk=invoice.pk).content)
    assert author_of(InvoicePaper(invoice).pdf()) == "Bread & Co. GmbH"


def test_is_answered_byte_for_byte_to_buyer_seller_and_administrators() -> None:
    invoice = an_invoice()

    for person in (invoice.booking.user, invoice.booking.event.organizer, an_admin()):
        response = ask(invoice, person)

        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
        assert hashlib.sha256(response.content).hexdigest() == invoice.pdf_sha256
        assert response["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
        assert response["Cache-Control"] == "private, no-store"
    assert ask(invoice, a_user()).status_code == 404


def test_is_not_sent_again_to_whoever_has_it() -> None:
    invoice = an_invoice()
    tag = ask(invoice, invoice.booking.user)["ETag"]

    again = ask(invoice, invoice.booking.user, HTTP_IF_NONE_MATCH=tag)
    other = ask(invoice, invoice.booking.user, HTTP_IF_NONE_MATCH='"another"')

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_an_invoice_from_before_documents_gets_its_own_once() -> None:
    invoice = an_invoice()
    with unguarded():
        InvoiceDocument.objects.all()._raw_delete("default")
        old: dict[str, Any] = {"tax_rate": None, "supply": {}, "content_sha256": "", "pdf_sha256": ""}
        Invoice._base_manager.filter(pk=invoice.pk).update(**old)

    first = ask(invoice, invoice.booking.user)
    Booking.objects.update(reference="CHANGED")
    second = ask(invoice, invoice.booking.user)

    row = Invoice.objects.get(pk=invoice.pk)
    assert (first.status_code, first.content, first["ETag"]) == (200, second.content, f'"{row.pdf_sha256}"')
    assert hashlib.sha256(first.content).hexdigest() == row.pdf_sha256
    assert (row.content_sha256, row.tax_rate) == (hash_of_content(row), Decimal("19.00"))
    assert row.supply["event"] == "Zero to API"
