"""Tickets as PDF and confirmations sent again, from the admin: of the own events only, by the API's rules."""

from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.tests.admin_pages import browser, messages_of
from eventhub_config.tests.paper import qr_codes
from events.tests.factories import NOW
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

BOOKINGS, TICKETS = "/admin/bookings/booking/", "/admin/bookings/ticket/"


def act(client: Client, page: str, action: str, *rows: Any) -> Any:
    return client.post(page, {"action": action, "index": 0, "_selected_action": [row.pk for row in rows]})


def test_downloads_the_tickets_of_a_booking():
    booking = a_booking(seats=2)

    for person in (booking.event.organizer, an_admin()):
        response = act(browser(person), BOOKINGS, "tickets_as_pdf", booking)

        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
        assert response["Cache-Control"].startswith("private, no-store")
        codes = Ticket.objects.filter(booking=booking).order_by("pk").values_list("code", flat=True)
        assert qr_codes(response.content) == [[code] for code in codes]


def test_downloads_a_single_ticket():
    booking = a_booking(seats=2)
    ticket = Ticket.objects.filter(booking=booking).latest("pk")
    client = browser(booking.event.organizer)

    response = act(client, TICKETS, "ticket_as_pdf", ticket)

    assert qr_codes(response.content) == [[ticket.code]]
    offered = client.get(f"{TICKETS}{ticket.pk}/change/").context["row_actions"]
    assert ("ticket_as_pdf", "Ticket as PDF") in offered


def test_says_why_there_is_no_file():
    booking = a_booking()
    other = a_booking(event=booking.event)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    client = browser(booking.event.organizer)

    refused = act(client, BOOKINGS, "tickets_as_pdf", booking)
    too_many = act(client, BOOKINGS, "tickets_as_pdf", booking, other)

    assert messages_of(refused) == ["Only a confirmed booking has this."]
    assert messages_of(too_many)[-1] == "Choose one row: a file holds the tickets of one."


def test_sends_confirmations_again_and_names_those_that_were_just_sent():
    booking = a_booking()
    other = a_booking(event=booking.event)
    client = browser(booking.event.organizer)
    act(client, BOOKINGS, "resend_confirmations", other)

    response = act(client, BOOKINGS, "resend_confirmations", booking, other)

    assert messages_of(response)[-2:] == [
        f"{other}: The confirmation was sent again less than five minutes ago.",
        "1 booking confirmed once more: the mail is on its way.",
    ]
    assert set(Booking.objects.values_list("confirmation_resent_at", flat=True)) == {NOW}


def test_offers_papers_of_confirmed_bookings_only():
    booking = a_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    client = browser(booking.event.organizer)
    ticket = Ticket.objects.get(booking=booking)

    for page in (f"{BOOKINGS}{booking.pk}/change/", f"{TICKETS}{ticket.pk}/change/"):
        offered = dict(client.get(page).context["row_actions"])
        assert not {"tickets_as_pdf", "resend_confirmations", "ticket_as_pdf"} & set(offered)


def test_other_peoples_bookings_are_out_of_reach():
    booking = a_booking()
    client = browser(an_organizer())

    for action in ("tickets_as_pdf", "resend_confirmations"):
        assert act(client, BOOKINGS, action, booking).status_code == 302
    assert act(client, TICKETS, "ticket_as_pdf", Ticket.objects.get(booking=booking)).status_code == 302
    booking.refresh_from_db()
    assert booking.confirmation_resent_at is None
