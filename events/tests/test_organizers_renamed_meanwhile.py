"""An organizer who gets another name while their events are being written: each is found by the new one."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from eventhub_config.shared.postgres import on_postgres
from eventhub_config.shared.transactions import unit_of_work
from events.integrity import CHECKS
from events.models import Event, EventSearch
from events.services import duplicate_event, searching, update_event
from events.services.searching import refresh_stale
from events.tests.factories import NOW, a_draft, an_event
from users.models import CustomUser
from users.services import change_role, update_own_account
from users.tests.factories import an_admin, an_organizer

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 10


def edit(event: Event) -> None:
    update_event(event_id=event.pk, changes={"title": "Looms"}, actor=event.organizer, now=NOW)


def create(event: Event) -> None:
    a_draft(organizer=event.organizer, title="Shuttles")


def duplicate(event: Event) -> None:
    duplicate_event(event_id=event.pk, actor=event.organizer, now=NOW)


def it_waits(worker: threading.Thread) -> bool:
    """Return whether the other connection waits for a lock, or is done."""
    if not worker.is_alive():
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@unit_of_work
def rename(organizer: CustomUser, worker: threading.Thread) -> None:
    """Give an organizer another name, and commit only when the other one waits for that."""
    update_own_account(user_id=organizer.pk, changes={"last_name": "Byron"}, actor=organizer, now=NOW)
    worker.start()
    until = time.monotonic() + SECONDS
    while on_postgres() and not it_waits(worker):  # on SQLite whoever comes second waits at BEGIN
        assert time.monotonic() < until
        time.sleep(0.01)


def write_while_renamed(write: Callable[[Event], None]) -> list[str]:
    """Let both happen at once; return what is wrong after that."""
    event = an_event(organizer=an_organizer(first_name="Ada", last_name="Lovelace"))
    failed: list[Exception] = []

    def run() -> None:
        try:
            write(event)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            failed.append(error)
        finally:
            connection.close()

    worker = threading.Thread(target=run)
    rename(event.organizer, worker)
    worker.join(SECONDS)
    assert failed == []
    for document in EventSearch.objects.filter(stale_since__isnull=False):
        refresh_stale(event_id=document.pk, now=NOW)
    return [str(finding) for check in CHECKS for finding in check.findings()]


@pytest.mark.parametrize("write", [edit, create, duplicate])
def test_what_is_written_meanwhile_bears_the_new_name(write: Callable[[Event], None]) -> None:
    """EVT-8"""
    assert write_while_renamed(write) == []
    assert not EventSearch.objects.filter(words__contains=" lovelace ").exists()


@pytest.mark.skipif(not on_postgres(), reason="SQLite lets one write at a time")
def test_control_without_the_locks_the_old_name_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = searching.document_of

    def draw_of_what_was_read_before(event: Event, sessions: Any) -> Any:
        event.organizer.last_name = "Lovelace"
        return draw(event, sessions)

    with monkeypatch.context() as patch:
        patch.setattr(searching, "document_of", draw_of_what_was_read_before)
        event = an_event(organizer=an_organizer(first_name="Ada", last_name="Lovelace"))
        update_own_account(user_id=event.organizer_id, changes={"last_name": "Byron"}, actor=event.organizer, now=NOW)
        edit(event)

    assert ["is found by other words" in str(finding) for check in CHECKS for finding in check.findings()] == [True]


def test_who_is_no_organizer_any_more_is_found_by_the_new_name_too() -> None:
    organizer = an_organizer(first_name="Ada", last_name="Lovelace")
    event = an_event(organizer=organizer)
    change_role(user_id=organizer.pk, user_type="attendee", actor=an_admin(), now=NOW)
    organizer.refresh_from_db()

    update_own_account(user_id=organizer.pk, changes={"last_name": "Byron"}, actor=organizer, now=NOW)

    assert EventSearch.objects.get(event=event).stale_since is not None
