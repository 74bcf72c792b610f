"""Events from draft to publication, through the API."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from events.jobs import JOBS
from events.models import Event
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

MINIMAL = {
    "title": "Zero to API",
    "category": "workshop",
    "venue_name": "Town Hall",
    "starts_at": "2027-03-31T12:00:00Z",
    "ends_at": "2027-03-31T15:00:00Z",
}


def client_of(user: CustomUser | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def create(user: CustomUser, **body: Any) -> Any:
    return client_of(user).post("/api/events/", {**MINIMAL, **body})


def edit(event: Event, user: CustomUser | None = None, *, version: str | None = None, **body: Any) -> Any:
    headers = {"If-Match": version} if version else {}
    return client_of(user or event.organizer).patch(f"/api/events/{event.pk}/", body, headers=headers)


def test_a_price_alone_makes_one_ticket_type() -> None:
    """EVT-4"""
    body = create(an_organizer(), price="25.00", capacity=40).json()

    assert (body["status"], body["price"], body["currency"], body["capacity"]) == ("draft", "25.00", "EUR", 40)
    assert [(kind["name"], kind["price"], kind["quantity"]) for kind in body["ticket_types"]] == [
        ("Standard", "25.00", None)
    ]
    assert (body["is_bookable"], body["unavailable_reason"]) == (False, "not_published")


def test_without_a_price_it_is_free() -> None:
    assert create(an_organizer()).json()["price"] == "0.00"


def test_several_ticket_types_keep_their_order() -> None:
    body = create(an_organizer(), ticket_types=[{"name": "B", "price": "9"}, {"name": "A", "price": "5"}]).json()

    assert [kind["name"] for kind in body["ticket_types"]] == ["B", "A"]
    assert body["price"] == "5.00"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"title": ""}, "title", "blank"),
        ({"title": "Two\r\nlines"}, "title", "control_character"),
        ({"category": "party"}, "category", "invalid_choice"),
        ({"starts_at": "2027-03-31T12:00:00"}, "starts_at", "naive"),
        ({"ends_at": "2027-03-31T12:00:00Z"}, "ends_at", "ends_before_start"),
        ({"registration_deadline": "2027-03-31T12:00:01Z"}, "registration_deadline", "after_start"),
        ({"timezone": "Mars/Olympus"}, "timezone", "unknown_timezone"),
        ({"currency": "XXX"}, "currency", "invalid_currency"),
        ({"price": "0.001"}, "price", "too_many_decimals"),
        ({"price": "1.5", "currency": "JPY"}, "price", "too_many_decimals"),
        ({"price": "-1"}, "price", "min_value"),
        ({"price": "NaN"}, "price", "invalid"),
        ({"price": "1000000001"}, "price", "max_value"),
        ({"capacity": -1}, "capacity", "min_value"),
        ({"capacity": 2**31}, "capacity", "max_value"),
        ({"latitude": "52.5"}, "latitude", "incomplete"),
        ({"ticket_types": []}, "ticket_types", "empty"),
        ({"ticket_types": [{"name": "A"}, {"name": "A"}]}, "ticket_types", "duplicate"),
        (
            {"ticket_types": [{"name": "A", "min_per_booking": 5, "max_per_booking": 4}]},
            "max_per_booking",
            "below_minimum",
        ),
        ({"price": "5", "ticket_types": [{"name": "A"}]}, "price", "ambiguous"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_field(body: dict[str, Any], field: str, code: str) -> None:
    response = create(an_organizer(), **body)

    assert response.status_code == 400
    assert (response.json()["errors"][0]["field"], response.json()["errors"][0]["code"]) == (field, code)
    assert Event.objects.count() == 0


@pytest.mark.parametrize("address", ["ftp://files.example/a", "javascript:alert(1)", "data:text/html,x", "//host/"])
def test_the_online_address_is_a_web_address(address: str) -> None:
    answer = create(an_organizer(), online_url=address)

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"online_url"}
    assert not Event.objects.exists()


def test_privileged_fields_in_the_body_change_nothing() -> None:
    """RELIABILITY H3"""
    organizer, other = an_organizer(), an_organizer()

    body = create(
        organizer,
        id=999, organizer=other.pk, status="published", seats_taken=5, version=9, published_at="2020-01-01T00:00:00Z",
        average_rating="5.00", review_count=7, slug="mine",
    ).json()  # fmt: skip

    event = Event.objects.get()
    assert (event.organizer, event.status, event.seats_taken, event.version) == (organizer, "draft", 0, 1)
    assert (event.published_at, event.review_count) == (None, 0)
    assert body["slug"].startswith("zero-to-api-")


def test_equal_titles_get_slugs_of_their_own() -> None:
    organizer = an_organizer()
    slugs = [create(organizer).json()["slug"] for _ in range(3)]

    assert len(set(slugs)) == 3
    assert client_of(organizer).get("/api/events/?slug=" + slugs[1]).json()["results"][0]["slug"] == slugs[1]


@pytest.mark.parametrize("who", [a_user, None])
def test_only_organizers_create(who: Any) -> None:
    response = client_of(who() if who else None).post("/api/events/", MINIMAL)

    assert response.status_code == (403 if who else 401)
    assert Event.objects.count() == 0


def test_publishing_makes_it_public() -> None:
    """EVT-2"""
    draft = a_draft()
    assert client_of(None).get(f"/api/events/{draft.pk}/").status_code == 404

    response = client_of(draft.organizer).post(f"/api/events/{draft.pk}/publish/")

    assert (response.status_code, response.json()["status"], response.json()["is_bookable"]) == (200, "published", True)
    assert client_of(None).get(f"/api/events/{draft.pk}/").json() == response.json()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"starts_at": NOW - timedelta(hours=1)}, "starts_at"),
        ({"venue_name": ""}, "venue_name"),
        ({"format": "online"}, "online_url"),
        ({"format": "hybrid"}, "online_url"),
    ],
)
def test_publishing_says_what_is_missing(values: dict[str, Any], field: str) -> None:
    draft = a_draft(**values)

    response = client_of(draft.organizer).post(f"/api/events/{draft.pk}/publish/")

    assert (response.status_code, response.json()["code"]) == (409, "event_incomplete")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"venue_name": ""}, "venue_name"),
        ({"format": "online"}, "online_url"),
        ({"format": "hybrid"}, "online_url"),
    ],
)
def test_what_publishing_asks_for_cannot_be_taken_away_afterwards(changes: dict[str, Any], field: str) -> None:
    """EVT-2"""
    event = an_event()

    response = client_of(event.organizer).patch(f"/api/events/{event.pk}/", changes, format="json")

    assert (response.status_code, response.json()["code"]) == (409, "event_incomplete")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert Event.objects.get(pk=event.pk).version == event.version


def test_what_lacks_a_place_already_can_still_be_edited() -> None:
    event = an_event()
    Event.objects.filter(pk=event.pk).update(venue_name="")

    response = client_of(event.organizer).patch(f"/api/events/{event.pk}/", {"title": "Other"}, format="json")

    assert (response.status_code, response.json()["title"]) == (200, "Other")


def test_a_pending_organizer_drafts_and_does_not_publish() -> None:
    """USR-3"""
    pending = an_organizer(organizer_status="pending")
    draft = Event.objects.get(pk=create(pending).json()["id"])

    response = client_of(pending).post(f"/api/events/{draft.pk}/publish/")

    assert (response.status_code, response.json()["code"]) == (403, "organizer_not_approved")
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize("verb", ["publish", "withdraw", "cancel"])
def test_somebody_elses_public_event_is_refused_and_their_draft_is_not_there(verb: str) -> None:
    stranger, public, draft = an_organizer(), an_event(), a_draft()

    on_public = client_of(stranger).post(f"/api/events/{public.pk}/{verb}/")
    on_draft = client_of(stranger).post(f"/api/events/{draft.pk}/{verb}/")

    assert (on_public.status_code, on_public.json()["code"]) == (403, "not_owner")
    assert on_draft.status_code == 404
    assert {event.status for event in Event.objects.all()} == {"published", "draft"}


def test_a_cancelled_event_cannot_be_edited() -> None:
    event = an_event()
    client_of(event.organizer).post(f"/api/events/{event.pk}/cancel/", {"reason": "Storm"})

    response = edit(event, title="Still on")

    assert (response.status_code, response.json()["code"]) == (409, "event_is_over")


def test_only_a_draft_that_was_never_public_is_deleted() -> None:
    organizer = an_organizer()
    draft, public, withdrawn = (
        a_draft(organizer=organizer),
        an_event(organizer=organizer),
        an_event(organizer=organizer),
    )
    client = client_of(organizer)
    client.post(f"/api/events/{withdrawn.pk}/withdraw/")

    codes = [client.delete(f"/api/events/{event.pk}/").status_code for event in (draft, public, withdrawn)]

    assert codes == [204, 409, 409]
    assert set(Event.objects.values_list("pk", flat=True)) == {public.pk, withdrawn.pk}


def test_drafts_are_nowhere_for_others() -> None:
    """EVT-6, RELIABILITY H8"""
    draft, public = a_draft(title="Marker draft"), an_event(title="Marker public")

    for viewer in (None, a_user(), an_organizer()):
        client = client_of(viewer)
        for query in (
            "",
            "?search=marker",
            "?status=draft",
            f"?organizer={draft.organizer_id}",
            "?ordering=title",
            "?cursor=",
        ):
            body = client.get(f"/api/events/{query}").json()
            assert draft.pk not in [event["id"] for event in body["results"]], query
            assert body.get("count", 0) <= 1
        assert client.get(f"/api/ticket-types/?event={draft.pk}").json()["results"] == []
        assert client.get(f"/api/events/{draft.pk}/availability/").status_code == 404
    for viewer in (draft.organizer, an_admin()):
        found = client_of(viewer).get("/api/events/?search=marker").json()["results"]
        assert {event["id"] for event in found} == {draft.pk, public.pk}


def test_the_list_filters_and_orders() -> None:
    """EVT-8"""
    early = an_event(title="B early", category="webinar", format="online", online_url="https://example.org/x")
    late = an_event(title="A late", starts_at=START + timedelta(days=5), city="Köln", language="de")

    def found(query: str) -> list[int]:
        response = client_of(None).get(f"/api/events/?{query}")
        assert response.status_code == 200, response.json()
        return [event["id"] for event in response.json()["results"]]

    assert found("") == [early.pk, late.pk]
    assert found("ordering=-starts_at") == [late.pk, early.pk]
    assert found("ordering=title") == [late.pk, early.pk]
    assert found("category=webinar") == found("format=online") == [early.pk]
    assert found("city=köln") == found("language=de") == [late.pk]
    assert found("starts_after=2027-04-02T00:00:00Z") == [late.pk]
    assert found("starts_before=2027-04-02T00:00:00Z") == [early.pk]
    assert found(f"organizer={late.organizer_id}") == [late.pk]


@pytest.mark.parametrize(
    "query",
    ["organizer__password__startswith=a", "ordering=organizer__password", "_connector=OR", "status=gone",
     "starts_after=2027-04-02T00:00:00", "organizer=x", "page_size=0", "page_size=101", "page=0", "page=abc",
     "cursor=%00", "search=a%00b"],
)  # fmt: skip
def test_what_is_no_filter_is_refused_by_its_name(query: str) -> None:
    """RELIABILITY H9"""
    response = client_of(None).get(f"/api/events/?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("rows", [2, 15])
def test_the_list_takes_the_same_statements_for_few_rows_and_many(rows: int, django_assert_num_queries: Any) -> None:
    organizer = an_organizer()
    for _ in range(rows):
        an_event(organizer=organizer, ticket_types=[{"name": "A"}, {"name": "B"}])

    with django_assert_num_queries(2):
        client_of(None).get("/api/events/")
    with django_assert_num_queries(3):  # and the count
        client_of(None).get("/api/events/?page_size=1")


def test_the_clock_starts_and_completes_events() -> None:
    """EVT-2"""
    event = an_event()
    advance = next(job for job in JOBS if job.name == "advance_event_status")

    assert advance.run(START - timedelta(seconds=1)) == 0
    assert advance.run(START) == 1
    event.refresh_from_db()
    assert event.status == "ongoing"
    advance.run(START + timedelta(hours=3))
    event.refresh_from_db()
    assert event.status == "completed"
    with time_machine.travel(START + timedelta(hours=4)):
        assert client_of(None).get(f"/api/events/{event.pk}/").json()["unavailable_reason"] == "registration_closed"
