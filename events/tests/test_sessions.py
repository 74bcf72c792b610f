"""Sessions of an event, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from events.integrity import CHECKS
from events.models import Event, Session
from events.services import cancel_event, create_session
from events.services.programme import MOST_SESSIONS
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

# The event is on 31 March 2027 from 12:00 to 15:00 UTC, 14:00 to 17:00 in Berlin.
OPENING: dict[str, Any] = {
    "title": "Opening",
    "description": "Why we are here.",
    "speaker": "Ada Lovelace",
    "room": "Hall 1",
    "starts_at": "2027-03-31T12:00:00Z",
    "ends_at": "2027-03-31T12:30:00Z",
    "capacity": 80,
    "position": 2,
}


def client_of(user: CustomUser | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def add(event: Event, user: CustomUser | None = None, /, **body: Any) -> Any:
    return client_of(user or event.organizer).post("/api/sessions/", {**OPENING, "event": event.pk, **body})


def at(minutes: int, lasts: int = 30) -> dict[str, str]:
    """Return the times of a session that begins so many minutes after the event."""
    start = START + timedelta(minutes=minutes)
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=lasts)).isoformat()}


def titles(address: str, user: CustomUser | None = None) -> list[str]:
    return [session["title"] for session in client_of(user).get(address).json()["results"]]


def refusal(answer: Any) -> tuple[int, str, str, str]:
    body = answer.json()
    error = body["errors"][0]
    return answer.status_code, body["code"], error["field"], error["message"]


# --- Adding, editing, removing ----------------------------------------------------------------------------------------


def test_is_added_to_an_event() -> None:
    """EVT-3"""
    event = an_event()

    answer = add(event)

    session = Session.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/sessions/{session.pk}/"
    assert answer.json() == {"id": session.pk, "event": event.pk, **OPENING}
    assert APIClient().get(f"/api/sessions/{session.pk}/").json() == answer.json()


def test_needs_a_title_and_times_only() -> None:
    body = add(an_event(), **{name: value for name, value in OPENING.items() if name in {"room", "speaker"}}).json()

    client = client_of(an_admin())
    plain = client.post("/api/sessions/", {"event": body["event"], "title": "Break", **at(30)}).json()

    assert (plain["speaker"], plain["room"], plain["description"], plain["capacity"], plain["position"]) == (
        "", "", "", None, 0,
    )  # fmt: skip


def test_is_edited_in_part() -> None:
    session = add(an_event()).json()

    answer = client_of(an_admin()).patch(f"/api/sessions/{session['id']}/", {"room": "Hall 2", **at(60)})

    assert answer.status_code == 200
    assert answer.json() == {
        **session, "room": "Hall 2", "starts_at": "2027-03-31T13:00:00Z", "ends_at": "2027-03-31T13:30:00Z",
    }  # fmt: skip
    assert APIClient().get(f"/api/sessions/{session['id']}/").json() == answer.json()


def test_is_taken_out() -> None:
    event = an_event()
    session = add(event).json()

    answer = client_of(event.organizer).delete(f"/api/sessions/{session['id']}/")

    assert answer.status_code == 204
    assert titles(f"/api/events/{event.pk}/sessions/") == []


def test_each_change_is_an_edit_of_the_event() -> None:
    event = an_event()

    session = add(event).json()
    client = client_of(event.organizer)
    client.patch(f"/api/sessions/{session['id']}/", {"title": "Welcome"})
    client.delete(f"/api/sessions/{session['id']}/")

    assert Event.objects.get(pk=event.pk).version == event.version + 3


def test_its_title_and_speaker_are_found_by_search() -> None:
    """EVT-8"""
    event = an_event()
    session = add(event, title="Quaternions", speaker="William Hamilton").json()

    def found(word: str) -> list[int]:
        return [row["id"] for row in APIClient().get(f"/api/events/?search={word}").json()["results"]]

    assert found("quaternions") == found("hamilton") == [event.pk]
    client_of(event.organizer).delete(f"/api/sessions/{session['id']}/")
    assert found("quaternions") == found("hamilton") == []


def test_stays_with_its_event_whatever_a_body_says() -> None:
    """RELIABILITY H3"""
    event, other = an_event(), an_event()
    session = add(event).json()

    answer = client_of(event.organizer).patch(f"/api/sessions/{session['id']}/", {"event": other.pk, "id": 999})

    assert (answer.status_code, answer.json()) == (200, session)


# --- What cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"title": ""}, "title", "blank"),
        ({"title": "Two\r\nlines"}, "title", "control_character"),
        ({"speaker": "Two\nlines"}, "speaker", "control_character"),
        ({"room": "x" * 81}, "room", "max_length"),
        ({"capacity": -1}, "capacity", "min_value"),
        ({"position": 10_001}, "position", "max_value"),
        ({"starts_at": "2027-03-31T12:00:00"}, "starts_at", "naive"),
        ({"ends_at": "2027-03-31T12:00:00Z"}, "ends_at", "ends_before_start"),
        ({"event": 987654321}, "event", "does_not_exist"),
        ({"event": 2**62}, "event", "does_not_exist"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_field(body: dict[str, Any], field: str, code: str) -> None:
    event = an_event()

    answer = add(event, **body)

    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    assert not Session.objects.exists()
    assert Event.objects.get(pk=event.pk).version == event.version


@pytest.mark.parametrize(
    ("minutes", "lasts", "field"), [(-1, 30, "starts_at"), (180, 30, "starts_at"), (170, 11, "ends_at")]
)
def test_cannot_lie_outside_of_its_event(minutes: int, lasts: int, field: str) -> None:
    """EVT-3"""
    event = an_event()

    answer = add(event, **at(minutes, lasts))

    message = "The event lasts from Wed 31 March 2027, 14:00 to 17:00 (Europe/Berlin)."
    assert refusal(answer) == (400, "invalid", field, message)
    assert answer.json()["errors"][0]["code"] == "outside_event"
    assert not Session.objects.exists()


def test_may_fill_its_event_to_the_minute() -> None:
    assert add(an_event(), **at(0, 180)).status_code == 201


@pytest.mark.parametrize(
    "room",
    ["Hall 1", "hall 1", "  HALL   1 ", "Ｈall １", "Hall\u00a01"],  # noqa: RUF001 (full width is meant)
)
def test_a_room_has_one_session_at_a_time(room: str) -> None:
    """EVT-3"""
    event = an_event()
    add(event)

    answer = add(event, title="Other", speaker="Grace Hopper", room=room, **at(29))

    message = f"{' '.join(room.split())} is taken by “Opening” (Wed 31 March 2027, 14:00 to 14:30)."
    assert refusal(answer) == (409, "room_taken", "room", message)
    assert answer.json()["detail"] == message
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("speaker", "name"),
    [
        ("ADA lovelace", "ADA lovelace"),
        ("Grace Hopper, Ada  Lovelace", "Ada Lovelace"),
        ("Grace Hopper and Ada Lovelace", "Ada Lovelace"),
        ("Ada Lovelace & Grace Hopper", "Ada Lovelace"),
    ],
)
def test_a_speaker_has_one_session_at_a_time(speaker: str, name: str) -> None:
    """EVT-3"""
    event = an_event()
    add(event)

    answer = add(event, room="Hall 2", speaker=speaker, **at(15))

    message = f"{name} speaks in “Opening” (Wed 31 March 2027, 14:00 to 14:30)."
    assert refusal(answer) == (409, "speaker_taken", "speaker", message)
    assert Session.objects.count() == 1


def test_accents_are_compared_whatever_their_form() -> None:
    event = an_event()
    add(event, room="Café", speaker="")

    assert add(event, room="Cafe\u0301", speaker="").json()["code"] == "room_taken"


@pytest.mark.parametrize("minutes", [30, 150])
def test_what_only_touches_is_not_at_once(minutes: int) -> None:
    event = an_event()
    add(event)

    assert add(event, **at(minutes)).status_code == 201


@pytest.mark.parametrize("name", ["", "TBA", "N.N.", "tbd"])
def test_what_is_not_settled_yet_may_be_in_many_places(name: str) -> None:
    event = an_event()

    assert [add(event, room=name, speaker=name).status_code for _ in range(3)] == [201, 201, 201]


def test_rooms_and_speakers_are_compared_within_an_event() -> None:
    organizer = an_organizer()

    assert [add(an_event(organizer=organizer)).status_code for _ in range(2)] == [201, 201]


def test_a_session_does_not_stand_in_its_own_way() -> None:
    event = an_event()
    session = add(event).json()

    assert client_of(event.organizer).patch(f"/api/sessions/{session['id']}/", at(10)).status_code == 200


def test_an_edit_is_held_to_the_same_rules() -> None:
    event = an_event()
    add(event)
    later = add(event, title="Later", **at(60)).json()
    client = client_of(event.organizer)

    taken = client.patch(f"/api/sessions/{later['id']}/", at(15))
    outside = client.patch(f"/api/sessions/{later['id']}/", {"ends_at": "2027-03-31T15:00:01Z"})

    assert refusal(taken)[:3] == (409, "room_taken", "room")
    assert refusal(outside)[:3] == (400, "invalid", "ends_at")
    assert client.get(f"/api/sessions/{later['id']}/").json() == later


def test_an_event_has_a_limit_of_sessions() -> None:
    event = an_event()
    rows = [Session(event=event, title="Short", starts_at=START, ends_at=event.ends_at) for _ in range(MOST_SESSIONS)]
    Session.objects.bulk_create(rows[1:])

    answers = [add(event, room="", speaker="") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "too_many_sessions"
    assert Session.objects.count() == MOST_SESSIONS


def test_of_an_event_that_is_over_stay_as_they_are() -> None:
    event = an_event()
    session = add(event).json()
    cancel_event(event_id=event.pk, reason="", actor=event.organizer, now=NOW)
    client = client_of(event.organizer)

    answers = [
        add(event),
        client.patch(f"/api/sessions/{session['id']}/", {"title": "Later"}),
        client.delete(f"/api/sessions/{session['id']}/"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "event_is_over")}
    assert APIClient().get(f"/api/sessions/{session['id']}/").json() == session


def test_strangers_change_nothing() -> None:
    public, draft = an_event(), a_draft()
    of_public, of_draft = add(public).json()["id"], add(draft).json()["id"]
    stranger = an_organizer()
    client = client_of(stranger)

    assert client.patch(f"/api/sessions/{of_public}/", {"title": "Mine"}).json()["code"] == "not_owner"
    assert client.delete(f"/api/sessions/{of_public}/").status_code == 403
    assert add(public, stranger).status_code == 403
    assert client.patch(f"/api/sessions/{of_draft}/", {"title": "Mine"}).status_code == 404
    assert client.delete(f"/api/sessions/{of_draft}/").status_code == 404
    assert add(draft, stranger).json()["errors"][0]["code"] == "does_not_exist"
    assert list(Session.objects.values_list("title", flat=True)) == ["Opening", "Opening"]


# --- Lists ------------------------------------------------------------------------------------------------------------


def a_programme(event: Event) -> None:
    for number, (title, speaker, room, minutes) in enumerate(
        [("Late", "Ada Lovelace", "Hall 1", 90), ("B", "Grace Hopper", "Hall 2", 0), ("A", "Alan Turing", "Hall 1", 0)]
    ):
        position = 10 - number if minutes == 0 else 0
        add(event, title=title, speaker=speaker, room=room, position=position, **at(minutes))


def test_of_an_event_come_in_order() -> None:
    """EVT-3"""
    event = an_event()
    a_programme(event)
    a_programme(an_event())

    programme = APIClient().get(f"/api/events/{event.pk}/sessions/").json()

    assert [(row["event"], row["title"]) for row in programme["results"]] == [
        (event.pk, "A"), (event.pk, "B"), (event.pk, "Late"),
    ]  # fmt: skip
    assert programme["count"] == 3
    assert titles(f"/api/sessions/?event={event.pk}") == ["A", "B", "Late"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("room=hall 1", ["A", "Late"]),
        ("room=hall", []),
        ("speaker=GRACE HOPPER", ["B"]),
        ("search=hopper 2", ["B"]),
        ("search=why", ["A", "B", "Late"]),
        ("search=nobody", []),
        ("starts_after=2027-03-31T12:00:01Z", ["Late"]),
        ("starts_before=2027-03-31T13:30:00Z", ["A", "B"]),
        ("ordering=-starts_at", ["Late", "A", "B"]),
        ("page_size=1&page=2", ["B"]),
        ("cursor=", ["Late", "B", "A"]),
    ],
)
def test_are_filtered_and_ordered(query: str, expected: list[str]) -> None:
    """API-1"""
    event = an_event()
    a_programme(event)

    assert titles(f"/api/sessions/?{query}") == expected
    assert titles(f"/api/events/{event.pk}/sessions/?{query}") == expected


@pytest.mark.parametrize("query", ["speakers=x", "starts_after=now", "ordering=title", "event__organizer=1"])
def test_take_no_other_parameters(query: str) -> None:
    event = an_event()

    assert APIClient().get(f"/api/sessions/?{query}").status_code == 400
    assert APIClient().get(f"/api/events/{event.pk}/sessions/?{query}").status_code == 400


def test_one_events_programme_is_not_asked_for_another_event() -> None:
    event = an_event()

    assert APIClient().get(f"/api/events/{event.pk}/sessions/?event={event.pk}").status_code == 400


def test_of_a_draft_are_for_those_who_run_it() -> None:
    """EVT-6"""
    draft = a_draft()
    session = add(draft).json()["id"]

    for user, expected in [(draft.organizer, 200), (an_admin(), 200), (an_organizer(), 404), (None, 404)]:
        client = client_of(user)
        assert client.get(f"/api/sessions/{session}/").status_code == expected
        assert client.get(f"/api/events/{draft.pk}/sessions/").status_code == expected
        assert client.get("/api/sessions/").json()["count"] == (expected == 200)


def test_lists_take_as_many_statements_for_one_as_for_many(django_assert_num_queries: Any) -> None:
    """API-1"""
    event = an_event()
    for number in range(25):
        create_session(
            event_id=event.pk,
            values={"title": str(number), "starts_at": START, "ends_at": event.ends_at},
            actor=event.organizer,
            now=NOW,
        )

    for size, statements in [(1, 2), (20, 2), (100, 1)]:  # all on one page: no need to count
        with django_assert_num_queries(statements):
            assert APIClient().get(f"/api/sessions/?page_size={size}").json()["count"] == 25
        with django_assert_num_queries(statements + 1):
            assert APIClient().get(f"/api/events/{event.pk}/sessions/?page_size={size}").json()["count"] == 25
    session = Session.objects.first()
    assert session is not None
    with django_assert_num_queries(1):
        APIClient().get(f"/api/sessions/{session.pk}/")


# --- What check_integrity finds ---------------------------------------------------------------------------------------


def test_a_programme_that_cannot_take_place_is_found() -> None:
    """OPS-6"""
    event, other = an_event(), an_event()
    first, second, late = (add(event, room="", speaker="", title=title).json()["id"] for title in ("A", "B", "C"))
    add(other)
    assert findings() == []

    Session.objects.filter(pk__in=[first, second]).update(room="Hall 1", speaker="Ada")
    Session.objects.filter(pk=late).update(ends_at=event.ends_at + timedelta(seconds=1))

    assert findings() == [
        f"programme: session {late}: C: lies outside of event {event}",
        f"programme: session {second}: B: has Hall 1 at the same time as session {first}: A",
        f"programme: session {second}: B: has Ada at the same time as session {first}: A",
    ]


def findings() -> list[str]:
    return [str(finding) for check in CHECKS if check.name == "programme" for finding in check.findings()]
