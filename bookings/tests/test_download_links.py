"""Links to tickets that work for five minutes without signing in."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.tests.paper import qr_codes
from events.tests.factories import NOW
from users.models import CustomUser
from users.services import set_active
from users.tests.factories import a_user, an_admin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

MINUTES = timedelta(minutes=5)


def link_to(address: str, user: CustomUser) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.post(f"/api/{address}/download_link/")


def link(booking: Booking) -> str:
    url: str = link_to(f"bookings/{booking.pk}", booking.user).json()["url"]
    return url


def follow(url: str) -> Any:
    """Open a link as a browser does that knows nothing of us."""
    return APIClient().get(url)


def codes_of(booking: Booking) -> list[str]:
    return list(Ticket.objects.filter(booking=booking).order_by("pk").values_list("code", flat=True))


def test_leads_whoever_has_it_to_the_tickets_of_a_booking() -> None:
    booking = a_booking(seats=2)

    response = link_to(f"bookings/{booking.pk}", booking.user)

    body = response.json()
    assert (response.status_code, body["expires_at"]) == (200, "2027-03-01T12:05:00Z")
    assert body["url"].startswith("http://testserver/api/downloads/?token=")
    file = follow(body["url"])
    assert (file.status_code, file["Content-Type"]) == (200, "application/pdf")
    assert (file["Cache-Control"], file["X-Content-Type-Options"]) == ("private, no-store", "nosniff")
    assert qr_codes(file.content) == [[code] for code in codes_of(booking)]


def test_leads_to_a_single_ticket() -> None:
    booking = a_booking(seats=2)
    ticket = Ticket.objects.filter(booking=booking).latest("pk")

    file = follow(link_to(f"tickets/{ticket.pk}", booking.user).json()["url"])

    assert qr_codes(file.content) == [[ticket.code]]


def test_works_for_five_minutes() -> None:
    url = link(a_booking())

    with time_machine.travel(NOW + MINUTES - timedelta(seconds=1), tick=False):
        assert follow(url).status_code == 200
    with time_machine.travel(NOW + MINUTES, tick=False):
        response = follow(url)

    assert (response.status_code, response.json()["code"]) == (410, "download_link_expired")


def test_asks_again_whether_there_is_something_to_download() -> None:
    booking = a_booking()
    url = link(booking)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    problem = follow(url).json()

    assert (problem["status"], problem["code"]) == (410, "download_gone")
    assert problem["detail"] == "Only a confirmed booking has this."


def test_ends_with_the_account_that_it_was_made_for() -> None:
    booking = a_booking()
    url = link(booking)
    set_active(user_id=booking.user_id, is_active=False, actor=an_admin(), now=NOW)

    response = follow(url)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_of_an_organizer_ends_when_somebody_else_runs_the_event() -> None:
    booking = a_booking()
    url = link_to(f"bookings/{booking.pk}", booking.event.organizer).json()["url"]
    type(booking.event).objects.filter(pk=booking.event_id).update(organizer=an_admin())

    assert follow(url).status_code == 404


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "é", "%00", ".", "eyJraW5kIjoidGlja2V0In0.x", "a" * 4000],
    ids=["none", "word", "dotted", "accent", "nul", "dot", "unsigned", "long"],
)
def test_that_we_did_not_sign_leads_nowhere(token: str) -> None:
    response = follow(f"/api/downloads/?token={token}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_cannot_be_turned_into_a_link_to_something_else() -> None:
    mine, other = a_booking(), a_booking()
    mine_token, other_token = (parse_qs(urlsplit(link(each)).query)["token"][0] for each in (mine, other))
    payload, signature = other_token.rpartition(".")[0], mine_token.rpartition(".")[2]

    assert follow(f"/api/downloads/?token={payload}.{signature}").status_code == 404


def test_is_made_for_those_only_who_may_have_the_file() -> None:
    booking = a_booking()
    ticket = Ticket.objects.get(booking=booking)

    answers = [link_to(address, a_user()) for address in (f"bookings/{booking.pk}", f"tickets/{ticket.pk}")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_is_not_made_to_what_is_not_there() -> None:
    booking = a_booking(price=10)

    response = link_to(f"bookings/{booking.pk}", booking.user)

    assert (response.status_code, response.json()["code"]) == (409, "not_confirmed")


def test_takes_no_other_parameter() -> None:
    response = follow(f"{link(a_booking())}&user=1")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "unknown_parameter")


def test_asks_nobody_to_sign_in() -> None:
    url = link(a_booking())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert client.get(url).status_code == 200
