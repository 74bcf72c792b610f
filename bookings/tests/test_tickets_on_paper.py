"""BKG-4: tickets as PDF, one page each, with a QR code that opens the door."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import book_seats, cancel_booking
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.tests.factories import a_booking
from eventhub_config.shared.images import files
from eventhub_config.shared.images.rendering import work_on
from eventhub_config.tests.paper import author_of, pages, qr_codes, texts
from eventhub_config.tests.pictures import picture, upload
from events.models import Event, TicketType
from events.services import cancel_event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

GAPS = "Some words are in letters that cannot be printed here"


def ask(booking: Booking, user: CustomUser | None = None) -> Any:
    client = APIClient()
    client.force_authenticate(user or booking.user)
    return client.get(f"/api/bookings/{booking.pk}/tickets_pdf/")


def booked_for(*names: str, **values: Any) -> Booking:
    """Return a booking with a ticket for each of these names."""
    event = an_event(**values)
    kind = TicketType.objects.get(event=event)
    tickets = [TicketRequest(ticket_type=kind.pk, attendee_name=name) for name in names]
    return book_seats(user=a_user(), request=BookingRequest(event_id=event.pk, tickets=tickets), now=NOW)


def page_for(name: str, **values: Any) -> str:
    """Return what is on the one ticket of somebody."""
    (page,) = texts(ask(booked_for(name, **values)).content)
    return page


def codes_of(booking: Booking) -> list[str]:
    return list(Ticket.objects.filter(booking=booking).order_by("pk").values_list("code", flat=True))


# --- What is on a ticket ----------------------------------------------------------------------------------------------


def test_a_ticket_says_what_when_where_and_for_whom() -> None:
    event = an_event(
        title="Zero to API", organizer=an_organizer(first_name="Grace", last_name="Hopper"), address="Main Street 1",
        city="Hamburg", ticket_types=[{"name": "Early bird", "price": Decimal(0)}],
    )  # fmt: skip
    booking = a_booking(event=event, user=a_user(first_name="Ada", last_name="Lovelace"))

    response = ask(booking)

    (page,) = texts(response.content)
    said = ["Zero to API", "by Grace Hopper", "Wed 31 March 2027", "14:00 to 17:00", "Europe/Berlin, UTC+02:00"]
    said += ["Town Hall", "Main Street 1", "Hamburg", "Ada Lovelace", "Early bird", "Free of charge", booking.reference]
    assert [text for text in said if text not in page] == []
    assert codes_of(booking)[0] in page.replace(" ", "")
    assert author_of(response.content) == "Grace Hopper"


def test_it_is_a_private_file_with_a_name() -> None:
    booking = a_booking()

    response = ask(booking)

    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"] == f'attachment; filename="tickets-{booking.reference}.pdf"'
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_twenty_tickets_are_twenty_pages_and_each_code_is_read_from_its_own() -> None:
    booking = a_booking(seats=20, ticket_types=[{"name": "Group", "price": Decimal(0), "max_per_booking": 20}])

    response = ask(booking)

    assert qr_codes(response.content) == [[code] for code in codes_of(booking)]
    said = texts(response.content)
    assert all(f"Ticket {number} of 20" in page for number, page in enumerate(said, 1))
    booker = booking.user.display_name
    assert [f"Guest of {booker}" in page for page in said] == [False] + [True] * 19
    assert len(response.content) < 200_000


def test_one_ticket_by_itself_keeps_its_number() -> None:
    booking = a_booking(seats=3)
    second = Ticket.objects.filter(booking=booking).order_by("pk")[1]
    client = APIClient()
    client.force_authenticate(booking.user)

    response = client.get(f"/api/tickets/{second.pk}/pdf/")

    assert qr_codes(response.content) == [[second.code]]
    assert "Ticket 2 of 3" in texts(response.content)[0]
    assert response["Content-Disposition"] == f'attachment; filename="ticket-{booking.reference}-2.pdf"'


def test_prices_have_the_decimals_of_their_currency() -> None:
    booking = booked_for("Ada", price=2500, currency="JPY")
    Booking.objects.filter(pk=booking.pk).update(status="confirmed")

    (page,) = texts(ask(booking).content)

    assert "2500 JPY" in page


def test_an_event_of_several_days_says_both() -> None:
    starts_at = NOW + timedelta(days=30)

    page = page_for("Ada", starts_at=starts_at, ends_at=starts_at + timedelta(days=2))

    assert "Wed 31 March 2027, 14:00" in page
    assert "to Fri 2 April 2027, 14:00" in page


def test_an_online_ticket_does_not_hold_the_link() -> None:
    page = page_for("Ada", format="online", online_url="https://meet.example.com/secret")

    assert "Online The link is in your booking." in page
    assert "meet.example.com" not in page


@pytest.mark.parametrize(
    "name", ["Νίκος Αλεξίου", "Ёлка Щукина", "Nguyễn Thị Ánh Tuyết", "Çağla Ğöş", "Ḥasan ʿAlī", "Łódź Ñandú"]
)
def test_latin_greek_and_cyrillic_names_are_printed(name: str) -> None:
    page = page_for(name)

    assert name in page
    assert GAPS not in page


def test_markup_is_text_like_any_other() -> None:
    page = page_for("<b>Robert</b> & <para>Tables</para>", title="<img src=x onerror=alert(1)> %s {0} \\n")

    assert "<b>Robert</b> & <para>Tables</para>" in page
    assert "<img src=x onerror=alert(1)> %s {0} \\n" in page


@pytest.mark.parametrize("letter", ["W", "i", "ß", "م", "ア"])
def test_the_longest_texts_leave_the_code_readable(letter: str) -> None:
    def long(count: int) -> str:
        return letter * count

    booking = booked_for(
        long(160), title=long(160), venue_name=long(160), address=long(300), city=long(120),
        organizer=an_organizer(first_name=long(150)), ticket_types=[{"name": long(80), "price": Decimal(0)}],
    )  # fmt: skip

    content = ask(booking).content

    assert qr_codes(content) == [codes_of(booking)]
    assert len(pages(content)) == 1


def test_letters_that_cannot_be_printed_are_left_out_and_that_is_said() -> None:
    page = page_for("山田 太郎", title="東京 Python 夜")

    assert "… Python …" in page
    assert GAPS in page
    assert "Holder of booking" in page


def test_the_address_stands_for_a_name_that_cannot_be_printed() -> None:
    booking = booked_for("山田 太郎")
    Ticket.objects.filter(booking=booking).update(attendee_email="taro@example.jp")

    (page,) = texts(ask(booking).content)

    assert "taro@example.jp" in page


def test_an_organizer_does_not_read_the_account_name_of_an_invited_person() -> None:
    booking = a_booking(user=a_user(first_name="Real", last_name="Name"), seats=2)
    Booking.objects.filter(pk=booking.pk).update(invited_as="Somebody")
    Ticket.objects.filter(booking=booking).update(attendee_name="")

    first, second = texts(ask(booking, booking.event.organizer).content)

    assert "Somebody" in first
    assert "Guest of Somebody" in second
    assert "Real" not in first + second


# --- The picture ------------------------------------------------------------------------------------------------------


def an_event_with_cover(organizer: CustomUser) -> Event:
    event = an_event(organizer=organizer, now=timezone.now())
    sent = upload(picture(size=(1200, 600), colour=(200, 30, 30)))
    a_client_of(organizer).post(
        f"/api/events/{event.pk}/cover_image/", sent, format="multipart", headers={"If-Match": "*"}
    )
    event.refresh_from_db()
    return event


def is_red(pdf: bytes) -> bool:
    """Return whether the event's picture is where it belongs."""
    red, green, blue = pages(pdf)[0].getpixel((380, 150))
    return red > 170 and green < 70 and blue < 70


@pytest.mark.parametrize("rendered", [False, True])
def test_the_event_s_picture_is_on_it(rendered: bool, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = an_event_with_cover(an_organizer())
    if rendered:
        work_on(key=str(event.cover_id), now=timezone.now())
    booking = a_booking(event=event)

    assert is_red(ask(booking).content)


def test_a_picture_that_is_lost_keeps_no_ticket_back(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = an_event_with_cover(an_organizer())
    files.remove_all(str(event.cover_id))
    booking = a_booking(event=event)

    content = ask(booking).content

    assert not is_red(content)
    assert qr_codes(content) == [codes_of(booking)]


# --- Who gets one, and when -------------------------------------------------------------------------------------------


def test_those_who_run_the_event_get_it_too() -> None:
    booking = a_booking()

    assert [ask(booking, user).status_code for user in (booking.event.organizer, an_admin())] == [200, 200]


def test_for_anybody_else_there_is_none() -> None:
    booking = a_booking()
    ticket = Ticket.objects.get(booking=booking)

    for stranger in (a_user(), an_organizer()):
        client = APIClient()
        client.force_authenticate(stranger)
        for address in (f"/api/bookings/{booking.pk}/tickets_pdf/", f"/api/tickets/{ticket.pk}/pdf/"):
            response = client.get(address)
            assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert APIClient().get(f"/api/bookings/{booking.pk}/tickets_pdf/").status_code == 401


@pytest.mark.parametrize("status", ["pending", "cancelled", "expired", "no_show"])
def test_only_a_confirmed_booking_has_tickets(status: str) -> None:
    booking = a_booking()
    Booking.objects.filter(pk=booking.pk).update(status=status, expires_at=NOW)

    response = ask(booking)

    assert (response.status_code, response.json()["code"]) == (409, "not_confirmed")


def test_a_cancelled_event_has_none_though_its_bookings_are_not_closed_yet() -> None:
    booking = a_booking()
    cancel_event(event_id=booking.event_id, reason="Storm", actor=booking.event.organizer, now=NOW)

    response = ask(booking)

    assert (response.status_code, response.json()["code"]) == (409, "event_cancelled")


def test_a_ticket_of_a_cancelled_booking_is_none() -> None:
    booking = a_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    client = APIClient()
    client.force_authenticate(booking.user)

    response = client.get(f"/api/tickets/{Ticket.objects.get(booking=booking).pk}/pdf/")

    assert (response.status_code, response.json()["code"]) == (409, "not_confirmed")


def test_who_asks_for_something_else_is_told_what_there_is() -> None:
    booking = a_booking()
    client = APIClient()
    client.force_authenticate(booking.user)

    response = client.get(f"/api/bookings/{booking.pk}/tickets_pdf/", headers={"Accept": "text/html"})

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_only_so_many_are_drawn_for_an_account_in_a_minute(settings: Settings) -> None:
    settings.DOCUMENT_RATE = 2
    booking, other = a_booking(), a_booking()

    answers = [ask(booking) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert int(answers[2]["Retry-After"]) <= 60
    assert ask(other).status_code == 200
