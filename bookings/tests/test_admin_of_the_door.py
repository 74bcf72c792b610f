"""The door in the admin: letting in, no-shows and closing, by the rules of the API, on one's own events only."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bookings.models import Booking, Scan, Ticket
from bookings.services import cancel_booking, check_in
from bookings.services.door import ScanRequest
from bookings.tests.factories import a_booking
from eventhub_config.tests.admin_pages import browser, messages_of
from events.models import Event
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

BOOKINGS = "/admin/bookings/booking/"
TICKETS = "/admin/bookings/ticket/"
SCANS = "/admin/bookings/scan/"


def do(user: CustomUser, page: str, action: str, *rows: Any) -> list[str]:
    chosen = [row.pk for row in rows]
    answer = browser(user).post(page, {"action": action, "index": 0, "_selected_action": chosen})
    return messages_of(answer)


def door_of(event: Event) -> str:
    return f"{TICKETS}door/{event.pk}/"


def ticket_of(booking: Booking) -> Ticket:
    return Ticket.objects.select_related("booking__event__organizer").get(booking=booking)


def test_tickets_are_checked_in_and_taken_back_and_refused_ones_are_named() -> None:
    """ADM-1, ADM-3"""
    event = an_event()
    good, cancelled = ticket_of(a_booking(event=event)), ticket_of(a_booking(event=event))
    cancel_booking(booking_id=cancelled.booking_id, actor=event.organizer, now=NOW)
    cancelled.refresh_from_db()

    let_in = do(event.organizer, TICKETS, "check_in_selected", good, cancelled)
    taken_back = do(event.organizer, TICKETS, "undo_check_in_selected", good, cancelled)

    assert let_in == [f"{cancelled}: This ticket was cancelled.", "1 ticket checked in."]
    assert taken_back == [
        f"{cancelled}: Nobody is checked in with this ticket.",
        "1 ticket not checked in any more.",
    ]
    good.refresh_from_db()
    assert (good.status, good.checked_in_at) == ("valid", None)


def test_bookings_become_no_shows_and_are_taken_back() -> None:
    """ADM-1, ADM-3"""
    event = an_event()
    booking, early = a_booking(event=event), a_booking(organizer=event.organizer)
    Event.objects.filter(pk=event.pk).update(starts_at=NOW)

    marked = do(event.organizer, BOOKINGS, "no_show_selected", booking, early)
    status = Booking.objects.get(pk=booking.pk).status
    taken_back = do(event.organizer, BOOKINGS, "undo_no_show_selected", booking)

    assert marked == [
        f"{early}: This event has not started: everybody may still come.",
        "1 booking marked as no-shows.",
    ]
    assert (status, taken_back) == ("no_show", ["1 booking confirmed again."])


@pytest.mark.parametrize(
    ("page", "action"),
    [
        (TICKETS, "check_in_selected"),
        (TICKETS, "undo_check_in_selected"),
        (BOOKINGS, "no_show_selected"),
        (BOOKINGS, "undo_no_show_selected"),
    ],
)
def test_leaves_the_events_of_others_alone(page: str, action: str) -> None:
    """ADM-2"""
    foreign = ticket_of(a_booking())
    Event.objects.update(starts_at=NOW)
    row = foreign if page == TICKETS else foreign.booking
    before = list(Ticket.objects.values()), list(Booking.objects.values())

    told = do(an_organizer(), page, action, row)

    assert not any(" checked in" in line or "1 booking" in line for line in told)
    assert (list(Ticket.objects.values()), list(Booking.objects.values())) == before


def test_a_row_offers_what_makes_sense() -> None:
    event = an_event()
    ticket = ticket_of(a_booking(event=event))
    client = browser(event.organizer)
    page = f"{TICKETS}{ticket.pk}/change/"

    before = client.get(page).content.decode()
    check_in(event_id=event.pk, scan=ScanRequest(ticket.code), actor=event.organizer, now=NOW)
    after = client.get(page).content.decode()

    assert ("check_in_selected" in before, "undo_check_in_selected" in before) == (True, False)
    assert "undo_check_in_selected" in after
    assert event.organizer.display_name in after


def test_the_page_of_a_door_lets_in_by_code() -> None:
    """BKG-6"""
    event = an_event()
    user = a_user(first_name="Ada", last_name="Lovelace")
    ticket = ticket_of(a_booking(event=event, user=user))
    Booking.objects.update(special_requirements={"dietary": "Vegetarian"})
    client = browser(event.organizer)

    good = messages_of(client.post(door_of(event), {"code": ticket.code.lower()}))
    twice = messages_of(client.post(door_of(event), {"code": ticket.booking.reference}))
    shown = client.get(door_of(event))

    assert good == ["Ada Lovelace is in: Standard (Vegetarian)."]
    who = event.organizer.display_name
    local = NOW.astimezone(ZoneInfo(event.timezone))
    assert twice[-1] == f"Ada Lovelace is in already: let in at {local:%H:%M} on 2027-03-01 by {who}."
    assert shown.context["counts"] == {"expected": 1, "present": 1, "unpaid": 0}
    assert "Close the doors" not in shown.content.decode()


def test_the_page_of_a_door_closes_it_after_the_event() -> None:
    event = an_event()
    booking = a_booking(event=event)
    client = browser(event.organizer)
    early = messages_of(client.post(door_of(event), {"close": "yes"}))
    Event.objects.update(starts_at=NOW - timedelta(hours=3), ends_at=NOW)

    offered = "Close the doors" in client.get(door_of(event)).content.decode()
    closed = messages_of(client.post(door_of(event), {"close": "yes"}))

    booking.refresh_from_db()
    assert early[-1] == "The doors are closed when the event is over."
    assert (offered, closed[-1], booking.status) == (
        True,
        "The doors are closed. Bookings that became no-shows: 1.",
        "no_show",
    )


def test_the_page_of_somebody_elses_door_answers_like_none() -> None:
    """ADM-2"""
    ticket = ticket_of(a_booking())
    client = browser(an_organizer())

    for pk in (ticket.booking.event_id, 1_000_000):
        for answer in (client.get(f"{TICKETS}door/{pk}/"), client.post(f"{TICKETS}door/{pk}/", {"code": ticket.code})):
            assert (answer.status_code, answer["Location"]) == (302, "/admin/")
            assert f"with ID “{pk}”" in messages_of(answer)[-1]
    ticket.refresh_from_db()
    assert ticket.status == "valid"


def test_an_events_page_leads_to_its_people_and_its_door() -> None:
    event = an_event()

    page = browser(event.organizer).get(f"/admin/events/event/{event.pk}/change/").content.decode()

    queue = f"/admin/bookings/waitlist/?event={event.pk}&amp;o=1"
    for address in (f"{BOOKINGS}?event={event.pk}", f"{TICKETS}?event={event.pk}", door_of(event), queue):
        assert f'href="{address}"' in page
    assert page.count(">Waitlist</a>") == 1
    assert browser(event.organizer).get(f"{TICKETS}?event={event.pk}").status_code == 200


def test_scans_are_read_by_those_who_run_the_event_and_never_edited() -> None:
    """ADM-1, ADM-2"""
    event = an_event()
    ticket, foreign = ticket_of(a_booking(event=event)), ticket_of(a_booking())
    for one in (ticket, foreign):
        of = one.booking.event
        check_in(event_id=of.pk, scan=ScanRequest(one.code, f"scan-{of.pk}"), actor=of.organizer, now=NOW)
    client = browser(event.organizer)
    scan, other = Scan.objects.order_by("pk")

    listed = client.get(SCANS)

    assert [row.pk for row in listed.context["cl"].result_list] == [scan.pk]
    assert client.get(f"{SCANS}{scan.pk}/change/").status_code == 200
    assert client.get(f"{SCANS}{other.pk}/change/").status_code == 302
    for path in ("add/", f"{scan.pk}/change/", f"{scan.pk}/delete/"):
        assert browser(an_admin()).post(SCANS + path, {"outcome": "unknown_ticket", "post": "yes"}).status_code == 403
    assert Scan.objects.count() == 2


def test_the_page_of_a_door_names_the_tickets_that_a_reference_leaves_to_choose_from() -> None:
    event = an_event()
    booking = a_booking(event=event, user=a_user(first_name="Ada", last_name="Lovelace"), seats=2)
    first, second = booking.tickets.order_by("pk")

    (said,) = messages_of(browser(event.organizer).post(door_of(event), {"code": booking.reference}))

    assert said.endswith(f" Ada Lovelace ({first.code}), Ada Lovelace ({second.code})")
    assert not Ticket.objects.filter(status="checked_in").exists()
