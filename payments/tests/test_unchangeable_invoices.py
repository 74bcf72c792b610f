"""What was issued stays as it is, byte for byte, whoever asks and whatever changes around it (PAY-4)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from eventhub_config.tests.admin_pages import browser
from events.models import TicketType
from events.services import update_event
from events.tests.factories import NOW
from payments.models import Invoice, InvoiceDocument, InvoiceImmutable
from payments.services import mark_as_sent
from payments.tests.invoices import a_credit_note, an_invoice
from users.models import CustomUser
from users.tests.factories import a_user, an_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

Rows = tuple[list[dict[str, Any]], list[tuple[int, bytes]]]


def everything() -> Rows:
    documents = [(row.pk, bytes(row.content)) for row in InvoiceDocument.objects.order_by("pk")]
    return list(Invoice.objects.order_by("pk").values()), documents


def save(invoice: Invoice) -> None:
    invoice.total = Decimal(1)
    invoice.save()


def save_one_field(invoice: Invoice) -> None:
    invoice.billing = {"name": "Somebody else"}
    invoice.save(update_fields=["billing", "sent_at"])


def change_document(invoice: Invoice) -> None:
    document = InvoiceDocument.objects.get(pk=invoice.pk)
    document.content = b"%PDF"
    document.save()


REFUSED: list[Callable[[Invoice], Any]] = [
    save,
    save_one_field,
    lambda invoice: invoice.delete(),
    lambda invoice: Invoice.objects.filter(pk=invoice.pk).update(total=1),
    lambda invoice: Invoice.objects.bulk_update([invoice], ["total"]),
    lambda invoice: Invoice.objects.filter(pk=invoice.pk).delete(),
    lambda invoice: Invoice.objects.update_or_create(pk=invoice.pk, defaults={"total": 1}),
    change_document,
    lambda invoice: InvoiceDocument.objects.get(pk=invoice.pk).delete(),
    lambda _invoice: InvoiceDocument.objects.update(content=b""),
    lambda _invoice: InvoiceDocument.objects.all().delete(),
]


@pytest.mark.parametrize("attempt", REFUSED)
def test_no_code_of_ours_changes_or_deletes_one(attempt: Callable[[Invoice], Any]) -> None:
    invoice = an_invoice()
    before = everything()

    with pytest.raises(InvoiceImmutable), transaction.atomic():
        attempt(invoice)

    assert everything() == before


# Each column by itself, past all code: with the value it is changed to.
ANOTHER: dict[str, str] = {
    "sequence": "sequence + 1",
    "number": "number || 'x'",
    "kind": "'invoice '",
    "issued_at": "'2020-01-01 00:00:00'",
    "currency": "'USD'",
    "subtotal": "subtotal - 1",
    "tax": "tax + 1",
    "total": "total + 1",
    "lines": "'[]'",
    "seller": "'{}'",
    "billing": "'{}'",
    "tax_rate": "tax_rate + 1",
    "supply": "'{}'",
    "content_sha256": "'x'",
    "pdf_sha256": "'x'",
    "id": "id + 1000000",
    "series_id": "series_id + 1",
    "payment_id": "payment_id + 1",
    "refund_id": "payment_id",
    "booking_id": "booking_id + 1",
    "corrects_id": "id",
}


def test_every_column_is_tried() -> None:
    assert {field.column for field in Invoice._meta.concrete_fields} == {*ANOTHER, "sent_at"}


@pytest.mark.parametrize("column", ANOTHER)
def test_the_database_refuses_to_change_any_column(column: str) -> None:
    an_invoice()
    before = everything()

    with pytest.raises(IntegrityError, match="was issued"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payments_invoice SET {column} = {ANOTHER[column]}")

    assert everything() == before


def test_the_database_refuses_to_change_a_document() -> None:
    an_invoice()
    before = everything()

    with pytest.raises(IntegrityError, match="was issued"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_invoicedocument SET content = %s", [b"%PDF"])

    assert everything() == before


@pytest.mark.skipif(connection.vendor == "sqlite", reason="a test database of SQLite is emptied row by row")
@pytest.mark.parametrize("table", ["payments_invoicedocument", "payments_invoice"])
def test_the_database_refuses_to_delete(table: str) -> None:
    an_invoice()
    before = everything()

    with pytest.raises(IntegrityError, match="was issued"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")

    assert everything() == before


def test_when_it_was_sent_can_be_noted() -> None:
    """The control: what is refused above is refused for what it changes."""
    invoice = an_invoice()

    mark_as_sent(invoice_id=invoice.pk, actor=an_admin(), now=NOW)

    assert Invoice.objects.get().sent_at == NOW


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_api_has_no_way_to_change_one(method: str) -> None:
    invoice = an_invoice()
    before = everything()
    client = APIClient()
    client.force_authenticate(an_admin())

    response = getattr(client, method)(f"/api/invoices/{invoice.pk}/", {"total": "1.00"}, format="json")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert client.post("/api/invoices/", {"total": "1.00"}, format="json").status_code == 405
    assert everything() == before


@pytest.mark.parametrize("page", ["invoice", "invoicedocument"])
def test_the_admin_has_no_way_to_change_one(page: str) -> None:
    invoice = an_invoice()
    before = everything()
    address = f"/admin/payments/{page}/"

    for person in (an_admin(), invoice.booking.event.organizer):
        client = browser(person)
        answers = [
            client.post(f"{address}{invoice.pk}/change/", {"number": "X", "total": "1"}),
            client.post(f"{address}{invoice.pk}/delete/", {"post": "yes"}),
            client.post(f"{address}add/", {"number": "X"}),
        ]
        chosen = {"action": "delete_selected", "_selected_action": [invoice.pk], "post": "yes"}
        client.post(address, chosen)

        assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert everything() == before


def edit_the_event(invoice: Invoice) -> None:
    event = invoice.booking.event
    changes = {"title": "Another title", "venue_name": "Elsewhere", "tax_rate": Decimal(7)}
    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)
    TicketType.objects.filter(event=event).update(name="Another name", price=Decimal(99))


def change_the_seller(invoice: Invoice) -> None:
    profile = invoice.booking.event.organizer.organizer_profile
    profile.legal_name, profile.legal_address, profile.tax_id = "Another", "Elsewhere", "NONE"
    profile.save()


def change_the_booking(invoice: Invoice) -> None:
    booking = invoice.booking
    booking.billing, booking.reference = {"name": "Another", "company": "Another"}, "ANOTHER"
    booking.save()


def give_some_back(invoice: Invoice) -> None:
    a_credit_note(invoice, "5.00")


@pytest.mark.parametrize(
    "change", [edit_the_event, change_the_seller, change_the_booking, give_some_back], ids=lambda it: it.__name__
)
def test_nothing_around_it_changes_a_byte(change: Callable[[Invoice], None]) -> None:
    invoice = an_invoice()
    before = everything()

    change(invoice)

    now = everything()
    assert (now[0][:1], now[1][:1]) == before


def test_a_buyer_who_is_another_person_now_changes_no_byte() -> None:
    buyer = a_user(first_name="Ada", last_name="Lovelace")
    invoice = an_invoice(user=buyer)
    a_credit_note(invoice, "25.00")
    before = everything()

    CustomUser.objects.filter(pk=buyer.pk).update(
        first_name="", last_name="", username="gone", email="gone@example.com"
    )

    assert everything() == before
    assert [row["billing"]["name"] for row in before[0]] == ["Ada Lovelace"] * 2


def test_they_survive_being_dumped_and_loaded(tmp_path: Any) -> None:
    an_invoice()
    before = everything()
    file = tmp_path / "invoices.json"
    rows = [*Invoice.objects.all(), *InvoiceDocument.objects.all()]
    file.write_text(serializers.serialize("json", rows))

    call_command("loaddata", str(file), verbosity=0)

    assert everything() == before
