"""Calendar files of events: what is in them, and that programs can read them."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject
from dateutil.tz import tzical
from icalendar import Calendar
from pytest_django import Settings
from rest_framework.test import APIClient

from events.models import Event
from events.services import advance_event, cancel_event, update_event, withdraw_event
from events.services.calendars import MOST_EVENTS, calendar_of
from events.tests.factories import NOW, a_draft, an_event
from users.models import CustomUser
from users.services import set_organizer_status
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOSTILE = [
    "Two; three, four: \\n and \\\\ \"five\" 'six'",
    "🎉" * 80,
    "ü" * 160,
    "END:VEVENT",
    "a" * 74 + "ß" + "b" * 80,
    " starts and ends with spaces ",
    "\u202eright to left\u202c \ufeff\u200b",
]


def client_of(user: CustomUser | None = None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def fetch(event: Event, user: CustomUser | None = None, **headers: str) -> Any:
    return client_of(user).get(f"/api/events/{event.pk}/calendar/", headers=headers)


def subscribe(organizer: CustomUser, **headers: str) -> Any:
    return client_of().get(f"/api/organizers/{organizer.pk}/calendar/", headers=headers)


def entries(content: bytes) -> list[Any]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def entry(content: bytes) -> Any:
    (only,) = entries(content)
    return only


def read(content: bytes) -> None:
    """Have a strict parser read a file, and look at its lines."""
    text = content.decode()
    vobject.readOne(text).validate()
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))


# --- One event --------------------------------------------------------------------------------------------------------


def test_tell_what_calendars_show(settings: Settings) -> None:
    """EVT-7"""
    settings.PUBLIC_URL = "https://api.eventhub.example"
    event = an_event(
        title="Zero to API", summary="A day of it", description="Bring a laptop.\nLunch at 12.",
        address="Market 1", city="Berlin", country="DE", latitude="52.520008", longitude="13.404954",
        format="hybrid", online_url="https://live.example/secret",
        organizer=an_organizer(first_name="Ada", last_name="Lovelace", email="ada@private.example"),
    )  # fmt: skip
    event.refresh_from_db()

    content = calendar_of(event)

    read(content)
    calendar = Calendar.from_ical(content)
    assert [str(calendar[name]) for name in ("version", "method", "prodid")] == [
        "2.0", "PUBLISH", "-//Event Hub//Event Hub//EN",
    ]  # fmt: skip
    shown = entry(content)
    assert {name: value.to_ical().decode() for name, value in shown.items() if name != "GEO"} == {
        "UID": f"event-{event.pk}@api.eventhub.example",
        "SEQUENCE": "2",
        "DTSTAMP": "20270301T120000Z",
        "LAST-MODIFIED": "20270301T120000Z",
        "DTSTART": "20270331T140000",
        "DTEND": "20270331T170000",
        "SUMMARY": "Zero to API",
        "DESCRIPTION": "A day of it\\n\\nBring a laptop.\\nLunch at 12.",
        "LOCATION": "Town Hall\\, Market 1\\, Berlin\\, DE",
        "STATUS": "CONFIRMED",
        "CATEGORIES": "Workshop",
        "ORGANIZER": "mailto:events@localhost",
        "URL": "https://eventhub.example/events/zero-to-api",
    }
    assert b"GEO:52.520008;13.404954\r\n" in content
    assert shown["organizer"].params["CN"] == "Ada Lovelace"
    assert shown["dtstart"].params["TZID"] == "Europe/Berlin"
    assert b"private" not in content
    assert b"secret" not in content


def test_leave_out_what_is_not_known(settings: Settings) -> None:
    settings.FRONTEND_URL = ""
    event = an_event(format="online", online_url="https://live.example/secret", venue_name="")

    content = calendar_of(event)

    read(content)
    assert entry(content)["location"] == "Online"
    assert not {"DESCRIPTION", "GEO", "URL"} & set(entry(content))
    assert b"secret" not in content


def test_name_the_host_of_the_settings_whatever_a_request_says(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org:8443"
    settings.ALLOWED_HOSTS = ["*"]
    event = an_event()

    content = fetch(event, Host="evil.example").content

    assert entry(content)["uid"] == f"event-{event.pk}@api.example.org"
    assert b"evil" not in content


def test_rise_with_every_edit() -> None:
    event = an_event()
    before = entry(fetch(event).content)
    later = NOW + timedelta(minutes=5)

    update_event(event_id=event.pk, changes={"title": "Another"}, actor=event.organizer, now=later)

    after = entry(fetch(event).content)
    assert (before["uid"], before["sequence"] + 1) == (after["uid"], after["sequence"])
    assert (after["summary"], after["dtstamp"].dt) == ("Another", later)


def test_say_that_an_event_was_cancelled_and_why() -> None:
    """EVT-2"""
    event = an_event(summary="A day of it")
    before = entry(fetch(event).content)
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    after = entry(fetch(event).content)

    assert (after["status"], after["description"]) == ("CANCELLED", "Cancelled: Storm\n\nA day of it")
    assert after["sequence"] == before["sequence"] + 1


def test_give_the_reason_of_a_cancellation_without_control_characters() -> None:
    event = an_event()
    cancel_event(event_id=event.pk, reason="Storm\r\x0b\x1b[31mEND:VEVENT\x07", actor=event.organizer, now=NOW)

    content = fetch(event).content

    read(content)
    assert entry(content)["description"] == "Cancelled: Storm\n\n[31mEND:VEVENT"
    assert not {b"\x07", b"\x0b", b"\x1b"} & {bytes([byte]) for byte in content}


@pytest.mark.parametrize(
    ("latitude", "longitude", "written"),
    [("0.000012", "-0.000001", b"0.000012;-0.000001"), ("-90", "180", b"-90.000000;180.000000")],
)
def test_write_a_place_near_the_equator_as_plain_numbers(latitude: str, longitude: str, written: bytes) -> None:
    """RFC 5545, section 3.3.7: a number has no exponent."""
    event = an_event(latitude=Decimal(latitude), longitude=Decimal(longitude))

    content = calendar_of(event)

    read(content)
    assert b"GEO:" + written + b"\r\n" in content


@pytest.mark.parametrize("text", HOSTILE)
def test_keep_whatever_text_harmless(text: str) -> None:
    organizer = an_organizer(first_name=text[:150], last_name="")
    event = an_event(title=text, summary=text, venue_name=text, organizer=organizer)

    content = calendar_of(event)

    read(content)
    shown = entry(content)
    plain = " ".join(text.split())
    assert (shown["summary"], shown["description"]) == (plain, plain)
    assert shown["location"] == plain
    # Parameters have no way to write a double quote, and readers disagree about backslashes.
    name = " ".join(text[:150].split()).replace('"', "'")
    assert shown["organizer"].params["CN"].replace("\\", "") == name.replace("\\", "")


def test_keep_lines_of_a_description_within_it() -> None:
    lines = "One\r\nEND:VEVENT\rTwo\x85Three\u2028Four\x0bFive\x0c\x1dSix\x07\x1b\tSeven"
    event = an_event(description=lines)

    content = calendar_of(event)

    read(content)
    assert entry(content)["description"] == "One\nEND:VEVENT\nTwo\nThree\nFour\nFive\n\nSix\tSeven"
    assert len(entries(content)) == 1


# --- Time zones -------------------------------------------------------------------------------------------------------

ZONES = [
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Europe/Dublin",
    "Africa/Casablanca",  # changes four times in some years
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Pacific/Apia",
    "Europe/Amsterdam",
]


def described_zone(content: bytes, name: str) -> Any:
    """Return the zone that a file describes, as another library reads it."""
    return tzical(io.StringIO(content.decode().replace("\r\n ", ""))).get(name)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [1937, 2011, 2016, 2027, 2150])
def test_describe_the_zone_as_it_is_on_every_day_that_counts(zone: str, year: int) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC)
    event = a_draft(starts_at=start, ends_at=start + timedelta(days=365), timezone=zone)

    content = calendar_of(event)

    there, described = ZoneInfo(zone), described_zone(content, zone)
    minutes = [start + timedelta(minutes=30) * number for number in range(-100, 365 * 48)]
    wrong = [at for at in minutes if described.utcoffset(shown(at, there)) != at.astimezone(there).utcoffset()]
    # Where clocks show an hour twice, a file means the first; libraries differ about hours that they skip.
    assert [at for at in wrong if not at.astimezone(there).fold] == []


@pytest.mark.parametrize("zone", ZONES)
def test_describe_a_span_of_centuries_by_its_ends(zone: str) -> None:
    """What lies between is not asked for: 200 such events in as many zones took a reader's request a minute."""
    start, end = datetime(1950, 6, 1, tzinfo=UTC), datetime(2200, 6, 1, tzinfo=UTC)
    event = a_draft(starts_at=start, ends_at=end, timezone=zone)

    content = calendar_of(event)

    # Not by `read`, whose parser keeps the first description of a zone that it meets for all files to come.
    described, there = described_zone(content, zone), ZoneInfo(zone)
    for moment in (start, end):
        assert described.utcoffset(shown(moment, there)) == moment.astimezone(there).utcoffset()
    assert content.count(b"TZOFFSETFROM") < 50


def shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("zone", "start", "clock"),
    [
        ("America/New_York", "2027-03-14T06:59:00Z", "20270314T015900"),
        ("America/New_York", "2027-03-14T07:00:00Z", "20270314T030000"),
        ("Asia/Kathmandu", "2027-03-14T06:15:00Z", "20270314T120000"),
        ("Australia/Lord_Howe", "2027-10-02T15:30:00Z", "20271003T023000"),
        ("Pacific/Chatham", "2027-04-03T13:59:00Z", "20270404T034400"),
    ],
)
def test_show_times_by_the_clock_of_the_event(zone: str, start: str, clock: str) -> None:
    moment = datetime.fromisoformat(start)
    event = a_draft(starts_at=moment, ends_at=moment + timedelta(hours=1), timezone=zone)

    content = calendar_of(event)

    read(content)
    assert f"DTSTART;TZID={zone}:{clock}\r\n".encode() in content
    assert entry(content)["dtstart"].dt.astimezone(UTC) == moment
    assert vobject.readOne(content.decode()).vevent.dtstart.value.astimezone(UTC) == moment


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Zulu"])
def test_write_utc_plainly(zone: str) -> None:
    event = a_draft(timezone=zone)

    content = calendar_of(event)

    read(content)
    assert b"DTSTART:20270331T120000Z\r\n" in content
    assert b"VTIMEZONE" not in content


def test_mean_the_second_of_two_equal_times_where_the_event_does() -> None:
    """In Berlin it is 2:30 twice on 31 October 2027."""
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)

    content = calendar_of(a_draft(starts_at=first, ends_at=first + timedelta(hours=1)))

    read(content)
    assert b"DTSTART;TZID=Europe/Berlin:20271031T023000\r\n" in content
    assert b"DTEND:20271031T013000Z\r\n" in content


# --- Over HTTP --------------------------------------------------------------------------------------------------------


def test_come_as_files() -> None:
    """EVT-7"""
    answer = fetch(an_event(title="Ünïcode “quoted”; x"))

    assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert answer["Content-Disposition"] == 'attachment; filename="unicode-quoted-x.ics"'
    assert answer["Cache-Control"] == "public, no-cache"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "accept",
    ["*/*", "text/calendar", "text/*", "text/html,image/webp,*/*;q=0.8", "text/calendar; charset=utf-8"],
)
def test_are_given_to_whatever_calendars_ask_with(accept: str) -> None:
    event = an_event()

    assert fetch(event, Accept=accept).status_code == 200
    assert subscribe(event.organizer, Accept=accept).status_code == 200


def test_are_not_given_as_anything_else() -> None:
    answer = fetch(an_event(), Accept="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert answer.json()["code"] == "not_acceptable"


def test_problems_are_problems_whatever_is_asked_for() -> None:
    answer = client_of().get("/api/events/987654/calendar/", headers={"Accept": "text/calendar"})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("ask", [fetch, lambda event, **headers: subscribe(event.organizer, **headers)])
def test_are_not_sent_again_while_nothing_has_changed(ask: Any) -> None:
    """API-4"""
    event = an_event()
    tag = ask(event)["ETag"]

    again = ask(event, **{"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)

    update_event(event_id=event.pk, changes={"title": "Another"}, actor=event.organizer, now=NOW)
    changed = ask(event, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_seats_that_are_sold_change_nothing() -> None:
    event = an_event(capacity=50)
    tag = fetch(event)["ETag"]

    Event.objects.filter(pk=event.pk).update(seats_taken=20)

    assert fetch(event, **{"If-None-Match": tag}).status_code == 304


def test_take_no_parameters() -> None:
    event = an_event()

    assert client_of().get(f"/api/events/{event.pk}/calendar/?sessions=true").status_code == 400
    assert client_of().get(f"/api/organizers/{event.organizer_id}/calendar/?from=x").status_code == 400


def test_of_a_draft_are_for_those_who_run_it() -> None:
    """EVT-6"""
    draft = a_draft()

    for user, expected in [
        (draft.organizer, 200),
        (an_admin(), 200),
        (an_organizer(), 404),
        (a_user(), 404),
        (None, 404),
    ]:
        assert fetch(draft, user).status_code == expected
    answer = fetch(draft, draft.organizer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert entry(answer.content)["status"] == "TENTATIVE"


# --- An organizer's ---------------------------------------------------------------------------------------------------


def titles(organizer: CustomUser) -> list[str]:
    return [str(shown["summary"]) for shown in entries(subscribe(organizer).content)]


def test_of_an_organizer_have_their_public_events_in_order() -> None:
    """EVT-7"""
    organizer = an_organizer(first_name="Ada", last_name="Lovelace")
    cancelled = an_event(organizer=organizer, title="Called off", starts_at=NOW + timedelta(days=3), timezone="UTC")
    cancel_event(event_id=cancelled.pk, reason="", actor=organizer, now=NOW)
    an_event(organizer=organizer, title="Soon", starts_at=NOW + timedelta(days=2), timezone="America/New_York")
    a_draft(organizer=organizer, title="A secret plan")
    never = a_draft(organizer=organizer, title="Never published")
    cancel_event(event_id=never.pk, reason="", actor=organizer, now=NOW)
    an_event(title="Somebody else's")

    content = subscribe(organizer).content

    read(content)
    assert [(str(shown["summary"]), str(shown["status"])) for shown in entries(content)] == [
        ("Soon", "CONFIRMED"), ("Called off", "CANCELLED"),
    ]  # fmt: skip
    calendar = Calendar.from_ical(content)
    assert [str(calendar[name]) for name in ("name", "x-wr-calname")] == ["Ada Lovelace", "Ada Lovelace"]
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] == ["America/New_York"]
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n" in content


def test_of_an_organizer_hold_what_ended_within_ninety_days() -> None:
    organizer = an_organizer()
    for title, days in [("Just gone", 90), ("Still there", 89)]:
        start = NOW - timedelta(days=days)
        event = an_event(
            organizer=organizer, title=title, starts_at=start - timedelta(hours=1), ends_at=start,
            now=start - timedelta(days=9),
        )  # fmt: skip
        advance_event(event_id=event.pk, now=NOW)

    assert titles(organizer) == ["Still there"]


def test_of_an_organizer_forget_what_was_withdrawn() -> None:
    event = an_event()
    assert titles(event.organizer) == ["Zero to API"]

    withdraw_event(event_id=event.pk, actor=event.organizer, now=NOW)

    assert titles(event.organizer) == []
    read(subscribe(event.organizer).content)


def test_of_an_organizer_cut_long_descriptions() -> None:
    event = an_event(description="word " * 1000)

    (shown,) = entries(subscribe(event.organizer).content)

    assert len(shown["description"]) <= 500
    assert shown["description"].endswith("word…")
    assert len(entry(calendar_of(event))["description"]) > 4000


def test_of_an_organizer_exist_while_everybody_may_know_them() -> None:
    event = an_event()
    set_organizer_status(
        user_id=event.organizer_id, organizer_status=CustomUser.OrganizerStatus.REJECTED, actor=an_admin(), now=NOW
    )

    assert subscribe(event.organizer).status_code == 404
    assert subscribe(a_user()).status_code == 404


def test_are_bounded_and_take_as_many_statements_for_one_as_for_many(django_assert_num_queries: Any) -> None:
    organizer = an_organizer()
    event = an_event(organizer=organizer, title="First")

    with django_assert_num_queries(1):
        fetch(event)
    with django_assert_num_queries(2):
        assert titles(organizer) == ["First"]
    values = {
        field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields if not field.primary_key
    }
    later = {"starts_at": event.starts_at + timedelta(hours=1), "title": "Later"}
    Event.objects.bulk_create(Event(**values | later | {"slug": f"later-{n}"}) for n in range(MOST_EVENTS))
    with django_assert_num_queries(2):
        assert titles(organizer) == ["First"] + ["Later"] * (MOST_EVENTS - 1)
