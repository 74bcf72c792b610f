"""Duplicating an event makes a draft like it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.shared.postgres import on_postgres
from events.models import Event, EventSlug, Session, TicketType
from events.services import advance_event, cancel_event, duplicate_event, read_offer, take_seats
from events.tests.factories import NOW, a_draft, a_session, an_event
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

BERLIN = ZoneInfo("Europe/Berlin")
# Winter time; the clocks go forward on 28 March.
START = datetime(2027, 3, 20, 9, tzinfo=BERLIN)
LATER = datetime(2027, 4, 17, 9, tzinfo=BERLIN)


def duplicate(event: Event, user: CustomUser | None = None, **body: Any) -> Any:
    client = APIClient()
    client.force_authenticate(user or event.organizer)
    return client.post(f"/api/events/{event.pk}/duplicate/", body)


def a_full_event(**values: Any) -> Event:
    """Return a published event with everything that it can have, and a seat that was sold."""
    cover = StoredImage.objects.create(
        purpose=StoredImage.Purpose.COVER, uploaded_by=1, width=10, height=10, created_at=NOW
    )
    event = an_event(
        starts_at=START.astimezone(UTC),
        ends_at=(START + timedelta(hours=8)).astimezone(UTC),
        timezone="Europe/Berlin",
        registration_deadline=(START - timedelta(days=1)).astimezone(UTC),
        refund_until=(START - timedelta(days=2)).astimezone(UTC),
        refund_policy="partial", refund_percent=40, tax_rate=Decimal("7.50"), capacity=30, hours=Decimal("6.25"),
        summary="Short", description="Long", skills=["SQL"], language="de", currency="JPY", format="hybrid",
        city="Berlin", country="DE", address="Here 1", latitude=Decimal("52.5"), longitude=Decimal("13.4"),
        online_url="https://live.example/1", attendance_rule="confirmed", category="training",
        ticket_types=[
            {
                "name": "Early", "price": Decimal(1500), "quantity": 5, "max_per_booking": 2, "description": "Quick",
                "sales_start_at": (START - timedelta(days=15)).astimezone(UTC),
                "sales_end_at": (START - timedelta(days=5)).astimezone(UTC),
            },
            {"name": "Crew", "is_visible": False, "min_per_booking": 2},
        ],
        **values,
    )  # fmt: skip
    Event.objects.filter(pk=event.pk).update(cover=cover, average_rating=Decimal("4.50"), review_count=3)
    first = (START + timedelta(hours=1)).astimezone(UTC)
    a_session(event, title="Talk", speaker="Ada", room="1", starts_at=first, ends_at=first + timedelta(hours=1),
              capacity=20, position=4, description="Words")  # fmt: skip
    take_seats(read_offer(event.pk), {event.ticket_types.get(name="Early").pk: 2}, now=START - timedelta(days=6))
    event.refresh_from_db()
    return event


def columns(row: Any, *without: str) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in {"id", "event_id", *without}
    }


def test_copies_what_the_organizer_wrote_and_nothing_that_happened() -> None:
    """EVT-7"""
    source = a_full_event()

    answer = duplicate(source)

    copy = Event.objects.get(pk=answer.json()["id"])
    assert (answer.status_code, answer["Location"]) == (201, f"/api/events/{copy.pk}/")
    happened = {
        "slug": "zero-to-api", "version": 1, "status": "draft", "status_changed_at": NOW, "seats_taken": 0,
        "first_booked_at": None, "average_rating": None, "review_count": 0, "first_published_at": None,
        "published_at": None, "cancellation_reason": "", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    assert columns(copy, *happened) == columns(source, *happened)
    assert copy.slug.startswith("zero-to-api-")
    assert columns(copy) | {"slug": "zero-to-api"} == columns(source) | happened
    assert copy.cover_id == source.cover_id
    assert copy.lowest_price == 1500


def test_copies_ticket_types_without_their_counters() -> None:
    source = a_full_event()
    TicketType.objects.filter(event=source).update(waiting_count=7)

    copy = Event.objects.get(pk=duplicate(source).json()["id"])

    before = [columns(kind, "seats_taken", "waiting_count") for kind in source.ticket_types.in_order()]
    after = [columns(kind, "seats_taken", "waiting_count") for kind in copy.ticket_types.in_order()]
    assert before == after
    assert [(kind.name, kind.seats_taken, kind.waiting_count) for kind in copy.ticket_types.in_order()] == [
        ("Early", 0, 0), ("Crew", 0, 0),
    ]  # fmt: skip


def test_copies_the_programme() -> None:
    source = a_full_event()

    copy = Event.objects.get(pk=duplicate(source).json()["id"])

    assert [columns(session) for session in copy.sessions.all()] == [
        columns(session) for session in source.sessions.all()
    ]
    found = APIClient()
    found.force_authenticate(source.organizer)
    ids = [event["id"] for event in found.get("/api/events/?search=talk ada").json()["results"]]
    assert sorted(ids) == sorted([source.pk, copy.pk])


def test_changes_nothing_about_the_event_itself() -> None:
    source = a_full_event()
    before = columns(source)

    duplicate(source, title="Once more", starts_at=LATER.isoformat())

    assert columns(Event.objects.get(pk=source.pk)) == before
    assert EventSlug.objects.get(slug="zero-to-api").event_id == source.pk
    assert Session.objects.filter(event=source).count() == 1


def test_moves_everything_along_by_the_clock() -> None:
    """EVT-7"""
    source = a_full_event()

    answer = duplicate(source, title="Once more", starts_at=LATER.isoformat())

    copy = Event.objects.get(pk=answer.json()["id"])
    kind, session = copy.ticket_types.get(name="Early"), copy.sessions.get()
    assert (copy.title, copy.slug[:-6]) == ("Once more", "once-more-")
    assert [
        f"{moment.astimezone(BERLIN):%m-%d %H:%M}"
        for moment in (
            copy.starts_at, copy.ends_at, copy.registration_deadline, copy.refund_until,
            kind.sales_start_at, kind.sales_end_at, session.starts_at, session.ends_at,
        )
        if moment
    ] == [
        "04-17 09:00", "04-17 17:00", "04-16 09:00", "04-15 09:00",
        "04-02 09:00", "04-12 09:00", "04-17 10:00", "04-17 11:00",
    ]  # fmt: skip


def test_leaves_empty_what_is_empty() -> None:
    source = a_draft()

    copy = Event.objects.get(pk=duplicate(source, starts_at=LATER.isoformat()).json()["id"])

    assert (copy.registration_deadline, copy.refund_until, copy.cover) == (None, None, None)
    kind = copy.ticket_types.get()
    assert (kind.sales_start_at, kind.sales_end_at) == (None, None)


def test_what_a_skipped_hour_would_swallow_is_refused() -> None:
    night = datetime(2027, 3, 20, 22, tzinfo=BERLIN)
    source = a_draft(starts_at=night.astimezone(UTC), ends_at=(night + timedelta(hours=8)).astimezone(UTC))
    third = (night + timedelta(hours=4)).astimezone(UTC)
    a_session(source, title="Third hour", starts_at=third, ends_at=third + timedelta(hours=1))

    answer = duplicate(source, starts_at=datetime(2027, 3, 27, 22, tzinfo=BERLIN).isoformat())

    assert (answer.status_code, answer.json()["code"]) == (409, "sessions_outside_event")
    assert "Third hour" in answer.json()["detail"]
    assert Event.objects.count() == Session.objects.count() == 1


@pytest.mark.parametrize("state", ["draft", "published", "ongoing", "completed", "cancelled"])
def test_takes_an_event_in_any_state(state: str) -> None:
    source = a_draft() if state == "draft" else an_event()
    if state == "cancelled":
        cancel_event(event_id=source.pk, reason="Storm", actor=source.organizer, now=NOW)
    elif state in {"ongoing", "completed"}:
        advance_event(event_id=source.pk, now=source.starts_at if state == "ongoing" else source.ends_at)

    body = duplicate(source).json()

    assert (body["status"], body["cancellation_reason"], body["slug"] == source.slug) == ("draft", "", False)
    assert Event.objects.get(pk=source.pk).status == state


def test_leaves_a_row_of_history_with_its_maker() -> None:
    source, admin = an_event(), an_admin()

    copy = duplicate(source, admin).json()["id"]

    moves = StatusChange.objects.filter(subject_type="events.event", subject_id=copy)
    assert [(move.from_status, move.to_status, move.actor) for move in moves] == [("", "draft", f"user:{admin.pk}")]
    assert Event.objects.get(pk=copy).organizer == source.organizer


def test_is_for_those_who_run_the_event() -> None:
    public, draft = an_event(), a_draft()

    assert duplicate(public, an_organizer()).json()["code"] == "not_owner"
    assert duplicate(draft, an_organizer()).status_code == 404
    assert duplicate(public, a_user()).status_code == 403
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"title": ""}, "title", "blank"),
        ({"title": "x" * 161}, "title", "max_length"),
        ({"title": "Two\nlines"}, "title", "control_character"),
        ({"starts_at": "2027-05-01T10:00:00"}, "starts_at", "naive"),
        ({"starts_at": None}, "starts_at", "null"),
    ],
)
def test_refuses_what_cannot_be(body: dict[str, Any], field: str, code: str) -> None:
    event = an_event()

    answer = duplicate(event, **body)

    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert Event.objects.count() == 1


def test_takes_as_many_statements_for_a_long_programme_as_for_a_short_one() -> None:
    organizer = an_organizer()

    def statements(sessions: int, types: int) -> int:
        event = an_event(organizer=organizer, ticket_types=[{"name": f"Type {number}"} for number in range(types)])
        for _ in range(sessions):
            a_session(event)
        with CaptureQueriesContext(connection) as captured:
            duplicate_event(event_id=event.pk, actor=organizer, now=NOW)
        return len(captured)

    assert statements(sessions=1, types=1) == statements(sessions=40, types=20) == (26 if on_postgres() else 32)
