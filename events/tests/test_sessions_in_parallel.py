"""Many who plan one event in the same moment: one gets the room, and none of the others an error of ours."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from eventhub_config.shared.postgres import on_postgres
from eventhub_config.tests.races import at_once, outcomes
from events.integrity import CHECKS
from events.models import Event, Session
from events.services import create_session, delete_session, programme, update_event
from events.services.programme import MOST_SESSIONS
from events.tests.factories import NOW, a_draft, a_session
from users.tests.factories import an_organizer

pytestmark = pytest.mark.django_db(transaction=True)

PLANNERS = 20


def planned(event: Event, **values: Any) -> Session:
    times = {"starts_at": event.starts_at, "ends_at": event.ends_at}
    return create_session(event_id=event.pk, values={"title": "Talk"} | times | values, actor=event.organizer, now=NOW)


def findings() -> list[str]:
    return [str(finding) for check in CHECKS for finding in check.findings()]


@pytest.mark.parametrize("field", ["room", "speaker"])
def test_one_session_of_many_gets_its_room_and_speaker(field: str) -> None:
    """EVT-3"""
    event = a_draft(organizer=an_organizer())

    made = at_once([lambda: planned(event, **{field: "Ada"})] * PLANNERS)

    assert outcomes(made) == {"ok": 1, f"{field}_taken": PLANNERS - 1}
    assert Session.objects.count() == 1
    assert Event.objects.get(pk=event.pk).version == event.version + 1
    assert findings() == []


def test_control_without_the_lock_several_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programme, "lock_event", lambda event_id: Event.objects.get(pk=event_id))
    event = a_draft(organizer=an_organizer())

    # On SQLite the write lock at BEGIN already lets one in at a time, so the control looks before it.
    at_once([lambda: planned(event, room="Hall")] * PLANNERS if on_postgres() else careless_planners(event))

    assert Session.objects.count() > 1
    assert any("Hall" in finding for finding in findings())


def careless_planners(event: Event) -> list[Callable[[], None]]:
    """Look first, write later, in two transactions: what naive code does."""
    looked = threading.Barrier(PLANNERS)

    def plan() -> None:
        taken = Session.objects.filter(event=event, room="Hall").exists()
        looked.wait()
        if not taken:
            times = {"starts_at": event.starts_at, "ends_at": event.ends_at}
            Session.objects.create(event=event, title="Talk", room="Hall", **times)

    return [plan] * PLANNERS


def test_the_last_place_in_a_programme_is_given_once() -> None:
    event = a_draft(organizer=an_organizer())
    rows = [Session(event=event, title="T", starts_at=event.starts_at, ends_at=event.ends_at) for _ in range(499)]
    Session.objects.bulk_create(rows)

    made = at_once([lambda: planned(event)] * 8)

    assert outcomes(made) == {"ok": 1, "too_many_sessions": 7}
    assert Session.objects.count() == MOST_SESSIONS


def test_a_session_and_the_event_it_is_in_do_not_part() -> None:
    """Half move the event a day on, half plan a session for the old day: whichever comes first decides."""
    event = a_draft(organizer=an_organizer())
    day = timedelta(days=1)

    def move() -> None:
        changes = {"starts_at": event.starts_at + day, "ends_at": event.ends_at + day}
        update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)

    results = outcomes(at_once([move, lambda: planned(event)] * 6))

    assert set(results) <= {"ok", "invalid"}
    assert results["ok"] >= 6
    assert findings() == []


def test_a_session_is_deleted_once_and_then_not_there() -> None:
    session = a_session(a_draft())
    organizer = session.event.organizer

    deleted = at_once([lambda: delete_session(session_id=session.pk, actor=organizer, now=NOW)] * 4)

    assert outcomes(deleted) == {"ok": 1, "not_found": 3}
