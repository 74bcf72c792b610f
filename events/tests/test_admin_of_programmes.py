"""Organizers plan their events in the admin: sessions, copies of events, and old addresses."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from eventhub_config.tests.admin_pages import browser, errors_on, form_on, messages_of
from events.admin.programme import LONGEST_TABLE
from events.models import Event, Session
from events.services import cancel_event, update_event
from events.tests.factories import NOW, START, a_session, an_event
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

EVENTS = "/admin/events/event/"
SESSIONS = "/admin/events/session/"
SLUGS = "/admin/events/eventslug/"
SECRET = "Nobody else's business"
# The event is from 14:00 to 17:00 in Berlin.
TALK = {
    "sessions-0-title": "Talk", "sessions-0-speaker": "Ada", "sessions-0-room": "Hall",
    "sessions-0-starts_at_0": "2027-03-31", "sessions-0-starts_at_1": "14:30",
    "sessions-0-ends_at_0": "2027-03-31", "sessions-0-ends_at_1": "15:00",
    "sessions-TOTAL_FORMS": "1",
}  # fmt: skip


def page_of(event: Event) -> str:
    return f"{EVENTS}{event.pk}/change/"


def save(client: Client, event: Event, **typed: Any) -> Any:
    form = form_on(client.get(page_of(event)), "event_form")
    return client.post(page_of(event), form | typed)


def a_talk(event: Event, minutes: int = 0, **values: Any) -> Session:
    """Return a session of half an hour that begins so many minutes after its event."""
    start = event.starts_at + timedelta(minutes=minutes)
    return a_session(event, starts_at=start, ends_at=start + timedelta(minutes=30), **values)


# --- On the event's page ----------------------------------------------------------------------------------------------


def test_a_session_is_added_by_the_clock_of_the_event() -> None:
    """EVT-3, ADM-1"""
    event = an_event()

    response = save(browser(event.organizer), event, **TALK)

    assert response.status_code == 302
    session = event.sessions.get()
    assert (session.title, session.speaker, session.room, session.position) == ("Talk", "Ada", "Hall", 0)
    assert (session.starts_at, session.ends_at) == (START + timedelta(minutes=30), START + timedelta(hours=1))


def test_sessions_are_edited_and_removed_there() -> None:
    event = an_event()
    kept, gone = a_talk(event, title="Kept"), a_talk(event, 60, title="Gone")

    response = save(browser(event.organizer), event, **{"sessions-0-room": "Hall", "sessions-1-DELETE": "on"})

    assert response.status_code == 302
    assert list(event.sessions.values_list("pk", "room")) == [(kept.pk, "Hall")]
    assert not Session.objects.filter(pk=gone.pk).exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"sessions-1-room": "hall"}, "hall is taken by “First” (Wed 31 March 2027, 14:00 to 14:30)."),
        ({"sessions-1-speaker": "Ada"}, "Ada speaks in “First” (Wed 31 March 2027, 14:00 to 14:30)."),
        ({"sessions-1-ends_at_1": "17:01"}, "The event lasts from Wed 31 March 2027, 14:00 to 17:00 (Europe/Berlin)."),
        ({"sessions-1-ends_at_1": "14:15"}, "A session ends after it starts."),
        ({"sessions-1-title": "a\tb"}, "control characters"),
    ],
)
def test_a_refused_session_says_why_and_saves_nothing_of_the_page(typed: dict[str, str], message: str) -> None:
    """ADM-3"""
    event = an_event()
    a_talk(event, title="First", room="Hall", speaker="Ada")
    second = a_talk(event, 15, title="Second")

    response = save(browser(event.organizer), event, title="Renamed", **typed)

    assert response.status_code == 200
    _types, sessions = response.context["inline_admin_formsets"]
    assert message in str(sessions.formset.errors)
    assert Event.objects.get(pk=event.pk).title == event.title
    second.refresh_from_db()
    assert (second.title, second.room, second.speaker) == ("Second", "", "")


def test_the_programme_moves_along_with_its_event() -> None:
    event = an_event()
    session = a_talk(event, 60)
    day = {"starts_at_0": "2027-04-01", "ends_at_0": "2027-04-01"}

    response = save(browser(event.organizer), event, **day)

    assert response.status_code == 302
    session.refresh_from_db()
    assert session.starts_at == START + timedelta(days=1, hours=1)


def test_an_event_that_would_leave_a_session_outside_says_which() -> None:
    event = an_event()
    a_talk(event, 120, title="Closing")

    response = save(browser(event.organizer), event, ends_at_1="16:00")

    (refusal,) = errors_on(response)["__all__"]
    assert refusal == (
        "“Closing” (Wed 31 March 2027, 16:00 to 16:30) would lie outside of the event, "
        "Wed 31 March 2027, 14:00 to 16:00 (Europe/Berlin)."
    )
    assert Event.objects.get(pk=event.pk).ends_at == event.ends_at


def test_a_long_programme_is_looked_at_there_and_edited_in_the_list() -> None:
    event = an_event()
    client = browser(event.organizer)
    sessions = [Session(event=event, title="T", starts_at=START, ends_at=event.ends_at) for _ in range(LONGEST_TABLE)]
    Session.objects.bulk_create(sessions)
    assert "sessions-0-title" in form_on(client.get(page_of(event)), "event_form")
    one_more = a_talk(event, title="One more")

    page = client.get(page_of(event))

    assert "sessions-0-title" not in form_on(page, "event_form")
    assert "Wed 31 March 2027, 14:00 to 14:30" in page.content.decode()
    assert save(client, event, title="Renamed").status_code == 302
    assert client.get(f"{SESSIONS}{one_more.pk}/change/").status_code == 200


def test_the_programme_of_an_event_that_is_over_is_looked_at_only() -> None:
    event = an_event()
    a_talk(event)
    cancel_event(event_id=event.pk, reason="", actor=event.organizer, now=NOW)

    page = browser(event.organizer).get(page_of(event))

    assert page.status_code == 200
    assert "Wed 31 March 2027, 14:00 to 14:30" in page.content.decode()
    assert "sessions-0-title" not in form_on(page, "event_form")


def test_a_page_with_more_sessions_costs_no_more() -> None:
    few, many = an_event(), an_event()
    a_talk(few)
    for number in range(LONGEST_TABLE):
        a_talk(many, number)
    client = browser(an_admin())
    counts = []
    for event in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page_of(event)).status_code == 200
        counts.append(len(queries))

    assert counts == [7, 7]


# --- In a list of their own -------------------------------------------------------------------------------------------


def test_the_list_has_ones_own_sessions_only() -> None:
    """ADM-2"""
    organizer = an_organizer()
    a_talk(an_event(organizer=organizer), title="Mine")
    foreign = a_talk(an_event(), title=SECRET, speaker=SECRET, room=SECRET)
    client = browser(organizer)

    for query in ("", "?q=business", f"?event={foreign.event_id}", "?starts_at__year=2027"):
        page = client.get(SESSIONS + query)
        assert page.status_code == 200
        assert SECRET not in page.content.decode(), query
    assert client.get(SESSIONS).context["cl"].result_count == 1
    assert browser(an_admin()).get(SESSIONS).context["cl"].result_count == 2
    assert client.get(f"{SESSIONS}{foreign.pk}/change/").status_code == 302
    assert client.post(f"{SESSIONS}{foreign.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Session.objects.filter(pk=foreign.pk).exists()


def test_a_session_has_a_page_of_its_own() -> None:
    event = an_event()
    session = a_talk(event, room="Hall")
    client = browser(event.organizer)
    address = f"{SESSIONS}{session.pk}/change/"
    form = form_on(client.get(address), "session_form")

    changed = client.post(address, form | {"description": "What it is about", "starts_at_1": "14:10", "capacity": "9"})
    refused = client.post(address, form | {"starts_at_1": "13:59"})
    added = client.post(
        f"{SESSIONS}add/",
        {
            "event": event.pk, "title": "Second",
            "starts_at_0": "2027-03-31", "starts_at_1": "15:00", "ends_at_0": "2027-03-31", "ends_at_1": "16:00",
        },
    )  # fmt: skip

    assert (form["starts_at_1"], form["ends_at_1"]) == ("14:00:00", "14:30:00")
    assert changed.status_code == added.status_code == 302
    assert list(errors_on(refused)) == ["starts_at"]
    session.refresh_from_db()
    assert (session.description, session.capacity, session.room) == ("What it is about", 9, "Hall")
    assert session.starts_at == START + timedelta(minutes=10)
    second = event.sessions.get(title="Second")
    assert (second.starts_at, second.position) == (START + timedelta(hours=1), 0)
    assert client.post(f"{SESSIONS}{second.pk}/delete/", {"post": "yes"}).status_code == 302
    assert event.sessions.count() == 1


def test_the_drop_down_of_events_offers_ones_own() -> None:
    organizer = an_organizer()
    an_event(organizer=organizer, title="Mine")
    foreign = an_event(title=SECRET)
    client = browser(organizer)
    typed = {
        "event": foreign.pk, "title": "Second",
        "starts_at_0": "2027-03-31", "starts_at_1": "15:00", "ends_at_0": "2027-03-31", "ends_at_1": "16:00",
    }  # fmt: skip

    response = client.post(f"{SESSIONS}add/", typed)

    assert "event" in errors_on(response)
    assert not Session.objects.exists()
    assert SECRET not in client.get(f"{SESSIONS}add/").content.decode()


# --- Copies -----------------------------------------------------------------------------------------------------------


def duplicate(client: Client, *events: Event, **more: Any) -> Any:
    chosen = [event.pk for event in events]
    return client.post(EVENTS, {"action": "duplicate_selected", "index": 0, "_selected_action": chosen, **more})


def test_events_are_duplicated_and_the_copies_can_be_opened() -> None:
    """EVT-7, ADM-1"""
    organizer = an_organizer()
    first, second = an_event(organizer=organizer, title="First"), an_event(organizer=organizer, title="<b>Second</b>")
    cancel_event(event_id=second.pk, reason="", actor=organizer, now=NOW)

    response = duplicate(browser(organizer), first, second)

    copies = Event.objects.filter(status="draft").order_by("pk")
    assert [copy.title for copy in copies] == ["First", "<b>Second</b>"]
    done, links = messages_of(response)
    assert done == "2 events duplicated."
    assert [f'<a href="/admin/events/event/{copy.pk}/change/">' in links for copy in copies] == [True, True]
    assert "<b>" not in links


def test_a_button_duplicates_the_event_of_a_page() -> None:
    event = an_event()
    client = browser(event.organizer)

    response = duplicate(client, event, from_row="1")

    assert (response.status_code, response["Location"]) == (302, page_of(event))
    assert Event.objects.filter(status="draft").count() == 1


def test_nobody_elses_event_is_duplicated() -> None:
    """ADM-2"""
    foreign = an_event()

    duplicate(browser(an_organizer()), foreign)

    assert Event.objects.count() == 1


# --- Old addresses ----------------------------------------------------------------------------------------------------


def test_an_event_is_found_by_a_former_slug() -> None:
    organizer = an_organizer()
    event = an_event(organizer=organizer, title="Zero to API")
    an_event(organizer=organizer, title="Another")
    update_event(event_id=event.pk, changes={"title": "Renamed"}, actor=organizer, now=NOW)

    page = browser(organizer).get(f"{EVENTS}?q=zero-to-api")

    assert [row.pk for row in page.context["cl"].result_list] == [event.pk]


def test_slugs_are_listed_for_administrators_and_never_edited() -> None:
    event = an_event(title="Zero to API")
    client = browser(an_admin())

    slugs = client.get(f"{SLUGS}?q=zero").context["cl"].result_list
    assert [slug.event_id for slug in slugs] == [event.pk, event.pk]  # as a draft, and as published
    assert client.get(f"{SLUGS}zero-to-api/change/").status_code == 200
    assert client.post(f"{SLUGS}zero-to-api/change/", {"slug": "mine"}).status_code == 403
    assert client.get(f"{SLUGS}add/").status_code == 403
    assert browser(event.organizer).get(SLUGS).status_code == 403
