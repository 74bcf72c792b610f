"""What invoices and credit notes say, to the cent (PAY-4)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import book_seats
from bookings.services.booking import BookingRequest, TicketRequest
from eventhub_config.shared import money
from eventhub_config.shared.integrity import all_checks
from events.models import TicketType
from events.tests.factories import NOW, an_event
from payments.models import Invoice
from payments.services.invoice_content import amounts_given_back, amounts_of, hash_of_content, with_net
from payments.tests.factories import a_paid_booking
from payments.tests.invoices import a_credit_note, a_seller, an_invoice, invoice_of
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def read(invoice: Invoice, user: CustomUser) -> dict[str, object]:
    client = APIClient()
    client.force_authenticate(user)
    body: dict[str, object] = client.get(f"/api/invoices/{invoice.pk}/").json()
    return body


def test_seller_buyer_lines_tax_and_what_was_sold() -> None:
    seller = a_seller()
    seller.organizer_profile.invoice_prefix = "BREAD"
    seller.organizer_profile.save()
    buyer = a_user(first_name="Ben", last_name="Okafor")

    invoice = an_invoice(organizer=seller, user=buyer, price="24.99", seats=3, city="Berlin")

    body = read(invoice, buyer)
    assert body["number"] == "BREAD-INV-000001"
    assert (body["kind"], body["issued_at"], body["corrects"]) == ("invoice", "2027-03-01T12:00:00Z", None)
    assert (body["currency"], body["subtotal"], body["tax_rate"]) == ("EUR", "63.00", "19.00")
    assert (body["tax"], body["total"]) == ("11.97", "74.97")
    assert body["seller"] == {
        "name": "Bread & Co. GmbH",
        "address": "Torstraße 140\n10119 Berlin",
        "tax_id": "DE123456789",
    }
    assert body["billing"] == {
        "name": "Ben Okafor", "company": "", "address": "", "postal_code": "", "city": "", "country": "", "tax_id": ""
    }  # fmt: skip
    assert body["lines"] == [
        {
            "description": "Zero to API: Standard", "quantity": 3, "unit_price": "24.99", "total": "74.97",
            "unit_price_net": "21.00", "net": "63.00", "tax": "11.97",
        }
    ]  # fmt: skip
    assert body["supply"] == {
        "event": "Zero to API", "starts_at": "2027-03-31T12:00:00Z", "ends_at": "2027-03-31T15:00:00Z",
        "timezone": "Europe/Berlin", "place": "Town Hall, Berlin", "method": "card",
        "booking_reference": Booking.objects.get().reference, "paid_at": "2027-03-01T12:00:00Z",
        "refunded_at": None, "reason": "", "corrects_number": "", "corrects_issued_at": None,
    }  # fmt: skip
    assert (body["pdf"], body["pdf_sha256"]) == (f"/api/invoices/{invoice.pk}/pdf/", invoice.pdf_sha256)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("Beispielplatz 3, 10997 Berlin", "Town Hall, Beispielplatz 3, 10997 Berlin"),
        ("Beispielplatz 3", "Town Hall, Beispielplatz 3, Berlin"),
        ("", "Town Hall, Berlin"),
    ],
)
def test_the_city_of_the_place_is_told_once(address: str, place: str) -> None:
    assert an_invoice(address=address, city="Berlin").supply["place"] == place


def test_each_type_and_price_is_a_line_and_their_nets_make_the_subtotal() -> None:
    kinds = [{"name": "Early", "price": Decimal("9.99")}, {"name": "Regular", "price": Decimal("14.99")}]
    event = an_event(organizer=a_seller(), ticket_types=kinds, tax_rate=Decimal("7.00"))
    wanted = [
        TicketRequest(ticket_type=kind.pk, quantity=2) for kind in TicketType.objects.in_order().filter(event=event)
    ]
    booking = book_seats(user=a_user(), request=BookingRequest(event_id=event.pk, tickets=wanted), now=NOW)

    invoice = invoice_of(a_paid_booking(booking=booking))

    assert [(line["description"], line["total"], line["net"]) for line in invoice.lines] == [
        ("Zero to API: Early", "19.98", "18.67"),
        ("Zero to API: Regular", "29.98", "28.02"),
    ]
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("46.69"), Decimal("3.27"), Decimal("49.96"))


def test_no_tax_is_told_as_none() -> None:
    invoice = an_invoice(tax_rate="0.00")

    assert (invoice.subtotal, invoice.tax, invoice.tax_rate) == (Decimal(25), Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("currency", "price", "subtotal", "tax"),
    [("JPY", "1000", "840", "160"), ("KWD", "10.005", "8.408", "1.597"), ("EUR", "0.01", "0.01", "0.00")],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, price: str, subtotal: str, tax: str) -> None:
    invoice = an_invoice(price=price, currency=currency)

    body = read(invoice, invoice.booking.user)
    assert (body["subtotal"], body["tax"], body["total"]) == (subtotal, tax, price)
    assert invoice.lines[0]["net"] == subtotal


def test_a_credit_note_names_what_it_corrects_and_why() -> None:
    invoice = an_invoice(price="119.00")

    note = a_credit_note(invoice, "11.90", "The projector failed.")

    body = read(note, invoice.booking.user)
    assert (body["kind"], body["corrects"]) == ("credit_note", invoice.pk)
    assert (body["subtotal"], body["tax"], body["total"]) == ("-10.00", "-1.90", "-11.90")
    assert note.lines[0]["description"] == f"Refund for invoice {invoice.number}: The projector failed."
    assert (note.lines[0]["net"], note.lines[0]["total"]) == ("-10.00", "-11.90")
    told = note.supply
    assert (told["corrects_number"], told["corrects_issued_at"]) == (invoice.number, "2027-03-01T12:00:00Z")
    assert (told["reason"], told["refunded_at"]) == ("The projector failed.", "2027-03-01T12:00:00Z")
    assert (note.seller, note.billing) == (invoice.seller, invoice.billing)


@pytest.mark.parametrize(
    ("currency", "price", "parts"),
    [
        ("EUR", "10.00", ["3.33", "3.33", "3.34"]),
        ("EUR", "0.10", ["0.01"] * 10),
        ("JPY", "1000", ["333", "333", "333", "1"]),
        ("KWD", "7.777", ["1.111", "2.222", "4.444"]),
    ],
)
def test_many_small_credit_notes_give_the_tax_of_their_invoice_back(
    currency: str, price: str, parts: list[str]
) -> None:
    invoice = an_invoice(price=price, currency=currency)

    notes = [a_credit_note(invoice, part) for part in parts]

    assert sum(note.total for note in notes) == -invoice.total
    assert sum(note.tax for note in notes) == -invoice.tax
    assert sum(note.subtotal for note in notes) == -invoice.subtotal
    assert all(note.tax <= 0 for note in notes)


UNITS = st.integers(1, 10**9)
RATES = st.integers(0, 100_00).map(lambda hundredths: Decimal(hundredths) / 100)


@given(units=st.lists(UNITS, min_size=1, max_size=12), tax_rate=RATES, currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_whatever_goes_back_in_parts_adds_up(units: list[int], tax_rate: Decimal, currency: str) -> None:
    parts = [Decimal(unit).scaleb(-money.exponent(currency)) for unit in units]
    whole = amounts_of(sum(parts, money.ZERO), tax_rate, currency)

    before, notes = money.ZERO, []
    for part in parts:
        notes.append(amounts_given_back(part, before, tax_rate, currency))
        before += part

    assert [sum(column) for column in zip(*notes, strict=True)] == [-amount for amount in whole]
    assert all(note.subtotal <= 0 and note.tax <= 0 and note.subtotal + note.tax == note.total for note in notes)


@given(units=st.lists(st.tuples(UNITS, st.integers(1, 20)), min_size=1, max_size=20), tax_rate=RATES)
def test_lines_make_the_subtotal_and_the_tax(units: list[tuple[int, int]], tax_rate: Decimal) -> None:
    totals = [Decimal(unit * quantity) / 100 for unit, quantity in units]
    whole = amounts_of(sum(totals, money.ZERO), tax_rate, "EUR")
    lines = [
        {"quantity": quantity, "total": str(total)} for (_unit, quantity), total in zip(units, totals, strict=True)
    ]

    told = with_net(lines, whole.subtotal, tax_rate, "EUR")

    assert sum(Decimal(line["net"]) for line in told) == whole.subtotal
    assert sum(Decimal(line["tax"]) for line in told) == whole.tax


def test_its_fingerprint_is_that_of_the_row_as_it_is_read_again() -> None:
    invoice = an_invoice(price="24.99")
    note = a_credit_note(invoice, "5.00", "Ünïcode “quotes” \\ \u2028")

    for row in (Invoice.objects.get(pk=invoice.pk), Invoice.objects.get(pk=note.pk)):
        assert row.content_sha256 == hash_of_content(row)
        assert len(row.content_sha256) == 64
    assert invoice.content_sha256 != note.content_sha256


def test_cents_that_binary_fractions_cannot_hold_are_no_alarm() -> None:
    """OPS-6: on SQLite 21.00 and 3.99 are not 24.99 to the last bit."""
    an_invoice(price="24.99", tax_rate="19.00")

    money_checks = [check for check in all_checks() if check.name in {"invoice_totals", "money_kept"}]
    assert len(money_checks) == 2
    assert [str(finding) for check in money_checks for finding in check.findings()] == []
