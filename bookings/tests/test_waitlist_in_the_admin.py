"""The waitlist in the admin: organizers see the queues of their own events, serve the next, and remove people."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import Waitlist
from bookings.tests.factories import a_free_seat, a_full_event, a_place, an_offer
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.admin_pages import browser, messages_of
from events.services import update_event
from events.tests.factories import NOW
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
PAGE = "/admin/bookings/waitlist/"
SECRET = "Nobody else's business"


def act(client: Client, action: str, *entries: Waitlist, **more: Any) -> Any:
    chosen = [entry.pk for entry in entries]
    return client.post(PAGE, {"action": action, "index": 0, "_selected_action": chosen, **more})


def status_of(entry: Waitlist) -> str:
    entry.refresh_from_db()
    return entry.status


def test_lists_the_queues_of_ones_own_events_only() -> None:
    """ADM-2"""
    organizer = an_organizer()
    mine = a_place(a_full_event(organizer=organizer), user=a_user(email="guest@example.com"))
    foreign = a_place(a_full_event(title=SECRET), user=mine.user)
    a_place(a_full_event(title=SECRET), user=organizer)
    client = browser(organizer)

    for query, count in {"": 1, "?q=guest@example.com": 1, f"?event={foreign.event_id}": 0, "?q=business": 0}.items():
        response = client.get(PAGE + query)
        assert SECRET not in response.content.decode().replace("business", "")
        assert response.context["cl"].result_count == count, query
    assert browser(an_admin()).get(PAGE).context["cl"].result_count == 3
    for view in ("change", "history"):
        assert client.get(f"{PAGE}{mine.pk}/{view}/").status_code == 200
        assert client.get(f"{PAGE}{foreign.pk}/{view}/").status_code == 302


def test_a_list_asks_no_more_for_more_rows() -> None:
    event = a_full_event()
    client = browser(event.organizer)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        return len(queries)

    a_place(event)
    few = statements()
    for _ in range(5):
        a_place(event)

    assert statements() == few


def test_offer_next_serves_one_party_of_each_queue() -> None:
    """ADM-3, BKG-5"""
    event = a_full_event(capacity=3)
    large, small, last = a_place(event, seats=3), a_place(event), a_place(event)
    a_free_seat(event), a_free_seat(event)

    response = act(browser(event.organizer), "offer_next_of_selected", large, small, last)

    assert messages_of(response) == ["1 waitlist entry had their queue served."]
    assert [status_of(entry) for entry in (large, small, last)] == ["waiting", "offered", "waiting"]


def test_offer_next_says_what_is_refused() -> None:
    event = a_full_event()
    entry = a_place(event)

    response = act(browser(event.organizer), "offer_next_of_selected", entry)

    assert messages_of(response) == [f"{entry}: No party that waits fits the seats left."]
    assert status_of(entry) == "waiting"


def test_removing_asks_first_and_offers_the_seats_to_the_next() -> None:
    entry = an_offer()
    second = a_place(entry.event)
    client = browser(entry.event.organizer)

    asked = act(client, "remove_selected", entry)
    assert "Remove these people from the queue?" in asked.content.decode()
    assert f"{entry.user.display_name} &lt;{entry.user.email}&gt;: " in asked.content.decode()
    assert status_of(entry) == "offered"
    response = act(client, "remove_selected", entry, confirmed="yes")

    assert messages_of(response) == ["1 waitlist entry removed."]
    assert (status_of(entry), status_of(second)) == ("closed", "offered")
    last = StatusChange.objects.filter(subject_type="bookings.waitlist", subject_id=entry.pk).order_by("-pk")[0]
    assert (last.to_status, last.actor) == ("closed", f"user:{entry.event.organizer_id}")


def test_nobody_acts_on_queues_of_others() -> None:
    entry = an_offer()
    update_event(event_id=entry.event_id, changes={"title": SECRET}, actor=entry.event.organizer, now=NOW)
    client = browser(an_organizer())

    act(client, "remove_selected", entry, confirmed="yes")
    act(client, "offer_next_of_selected", entry)

    assert status_of(entry) == "offered"


def test_a_row_offers_what_makes_sense() -> None:
    offered = an_offer()
    waiting = a_place(offered.event)
    client = browser(offered.event.organizer)

    def buttons(entry: Waitlist) -> list[str]:
        return [label for _name, label in client.get(f"{PAGE}{entry.pk}/change/").context["row_actions"]]

    assert buttons(waiting) == ["Offer next", "Remove from the queue"]
    assert buttons(offered) == ["Remove from the queue"]
    act(client, "remove_selected", offered, confirmed="yes")
    assert buttons(offered) == []


def test_an_events_page_leads_to_its_queue() -> None:
    event = a_full_event()
    entry = a_place(event)
    client = browser(event.organizer)

    links = dict(client.get(f"/admin/events/event/{event.pk}/change/").context["row_links"])

    assert [row.pk for row in client.get(links["Waitlist"]).context["cl"].result_list] == [entry.pk]
