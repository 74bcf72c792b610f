"""A programme moves along with its event by the clock on the wall, or holds the event to its times."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from events.models import Event, Session
from events.services import update_event
from events.services.programme import SessionsOutsideEvent
from events.tests.factories import NOW, a_draft, a_session, an_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def local(zone: str, *numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type]


def a_day(zone: str, month: int, day: int, first: int = 9, last: int = 18, **values: Any) -> Event:
    """Return a draft that lasts from one hour to another by the clock of a day in 2027, or the next day."""
    start = local(zone, 2027, month, day, first)
    end = local(zone, 2027, month, day + (last <= first), last)
    return a_draft(starts_at=start, ends_at=end, timezone=zone, **values)


def a_talk(event: Event, zone: str, month: int, day: int, start: float, end: float, **values: Any) -> Session:
    times = [local(zone, 2027, month, day, int(hour), int(hour % 1 * 60)) for hour in (start, end)]
    return a_session(event, starts_at=times[0], ends_at=times[1], **values)


def edit(event: Event, **changes: Any) -> None:
    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)


def shown(session: Session, zone: str) -> list[str]:
    session.refresh_from_db()
    return [f"{moment.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for moment in (session.starts_at, session.ends_at)]


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("Europe/Berlin", (3, 20), (4, 3)),
        ("America/New_York", (3, 6), (3, 20)),
        ("Australia/Lord_Howe", (9, 20), (10, 10)),  # by half an hour
        ("Pacific/Chatham", (9, 20), (10, 10)),
        ("Asia/Kathmandu", (3, 20), (4, 3)),
        ("UTC", (3, 20), (4, 3)),
    ],
)
def test_ten_o_clock_stays_ten_o_clock(zone: str, winter: tuple[int, int], summer: tuple[int, int]) -> None:
    """EVT-3"""
    event = a_day(zone, *winter)
    session = a_talk(event, zone, *winter, 10, 11.5)

    edit(event, starts_at=local(zone, 2027, *summer, 9), ends_at=local(zone, 2027, *summer, 18))

    day = f"{summer[0]:02}-{summer[1]:02}"
    assert shown(session, zone) == [f"{day} 10:00", f"{day} 11:30"]


def test_another_zone_with_the_same_clock_times_moves_it_there() -> None:
    event = a_day("Europe/Berlin", 3, 10)
    session = a_talk(event, "Europe/Berlin", 3, 10, 10, 11)
    tokyo = "Asia/Tokyo"

    edit(event, timezone=tokyo, starts_at=local(tokyo, 2027, 3, 10, 9), ends_at=local(tokyo, 2027, 3, 10, 18))

    assert shown(session, tokyo) == ["03-10 10:00", "03-10 11:00"]


def test_another_zone_alone_moves_nothing() -> None:
    event = a_day("Europe/Berlin", 3, 10)
    session = a_talk(event, "Europe/Berlin", 3, 10, 10, 11)

    edit(event, timezone="Asia/Tokyo")

    assert shown(session, "Europe/Berlin") == ["03-10 10:00", "03-10 11:00"]


def test_an_event_may_grow_and_shrink_around_it() -> None:
    event = a_day("UTC", 3, 10)
    session = a_talk(event, "UTC", 3, 10, 10, 11)

    edit(event, starts_at=local("UTC", 2027, 3, 10, 10), ends_at=local("UTC", 2027, 3, 10, 11))

    assert shown(session, "UTC") == ["03-10 10:00", "03-10 11:00"]


@pytest.mark.parametrize(
    "times",
    [{"starts_at": local("UTC", 2027, 3, 10, 10, 1)}, {"ends_at": local("UTC", 2027, 3, 10, 10, 59)}],
    ids=["start", "end"],
)
def test_an_event_cannot_leave_it_outside(times: dict[str, datetime]) -> None:
    """EVT-3"""
    event = a_day("UTC", 3, 10)
    session = a_talk(event, "UTC", 3, 10, 10, 11, title="Talk")

    with pytest.raises(SessionsOutsideEvent, match=r"“Talk” .Wed 10 March 2027, 10:00 to 11:00. would lie outside"):
        edit(event, **times)

    assert Event.objects.get(pk=event.pk).version == event.version + 1  # the session's own
    assert shown(session, "UTC") == ["03-10 10:00", "03-10 11:00"]


def test_the_refusal_names_the_first_and_counts_the_rest() -> None:
    event = an_event()
    for number in range(3):
        start = event.starts_at + timedelta(minutes=30 * number)
        a_session(event, title=f"Talk {number}", starts_at=start, ends_at=start + timedelta(minutes=30))
    client = APIClient()
    client.force_authenticate(event.organizer)

    answer = client.patch(f"/api/events/{event.pk}/", {"ends_at": "2027-03-31T12:45:00Z"})

    assert (answer.status_code, answer.json()["code"]) == (409, "sessions_outside_event")
    assert answer.json()["detail"] == (
        "“Talk 1” (Wed 31 March 2027, 14:30 to 15:00) and 1 more would lie outside of the event,"
        " Wed 31 March 2027, 14:00 to 14:45 (Europe/Berlin)."
    )


def test_a_night_without_its_third_hour_refuses_what_would_be_there() -> None:
    """In Berlin the clocks go from 2:00 to 3:00 on 28 March 2027."""
    berlin = "Europe/Berlin"
    event = a_day(berlin, 3, 20, 22, 6)
    a_talk(event, berlin, 3, 21, 2, 3, title="Third hour")
    a_talk(event, berlin, 3, 21, 3, 4, title="Fourth hour")

    with pytest.raises(SessionsOutsideEvent, match="Third hour"):
        edit(event, starts_at=local(berlin, 2027, 3, 27, 22), ends_at=local(berlin, 2027, 3, 28, 6))

    assert Session.objects.filter(starts_at__gt=local(berlin, 2027, 3, 22, 0)).count() == 0


def test_a_night_with_an_hour_twice_moves_and_keeps_the_clock() -> None:
    """In Berlin the clocks go from 3:00 to 2:00 on 31 October 2027."""
    berlin = "Europe/Berlin"
    event = a_day(berlin, 10, 23, 22, 6)
    session = a_talk(event, berlin, 10, 24, 1, 4)

    edit(event, starts_at=local(berlin, 2027, 10, 30, 22), ends_at=local(berlin, 2027, 10, 31, 6))

    assert shown(session, berlin) == ["10-31 01:00", "10-31 04:00"]
    assert session.ends_at - session.starts_at == timedelta(hours=4)


def test_a_whole_programme_moves_in_as_many_statements_as_one_session() -> None:
    def statements(sessions: int) -> int:
        event = a_draft()
        for number in range(sessions):
            start = event.starts_at + timedelta(minutes=number)
            a_session(event, starts_at=start, ends_at=start + timedelta(minutes=1))
        later = timedelta(days=7, hours=1)
        with CaptureQueriesContext(connection) as captured:
            edit(event, starts_at=event.starts_at + later, ends_at=event.ends_at + later)
        return len(captured)

    assert statements(40) == statements(1)
