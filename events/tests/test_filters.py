"""The list of events can be narrowed and ordered, each way by itself and together."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from events.models import Event, TicketType
from events.services import update_ticket_type
from events.services.seats import bookable_at
from events.tests.factories import NOW, START, a_draft, an_event
from users.tests.factories import a_client_of, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
ISO = "%Y-%m-%dT%H:%M:%SZ"
LATER, SOON_OVER = START + timedelta(days=9), START + timedelta(hours=1)


def titles(query: str, client: APIClient | None = None) -> list[str]:
    answer = (client or APIClient()).get(f"/api/events/?{query}")
    assert answer.status_code == 200, answer.content
    return [event["title"] for event in answer.json()["results"]]


@pytest.mark.parametrize(
    ("field", "here", "there", "query"),
    [
        ("category", "webinar", "meetup", "category=webinar"),
        ("format", "hybrid", "in_person", "format=hybrid"),
        ("city", "Graz", "Linz", "city=gRAZ"),
        ("country", "AT", "DE", "country=AT"),
        ("country", "AT", "DE", "country=at"),
        ("language", "de", "en", "language=de"),
        ("currency", "SEK", "EUR", "currency=SEK"),
        ("currency", "SEK", "EUR", "currency=sek"),
        ("skills", ["Weaving"], ["Dyeing"], "skill=weaving"),
        ("starts_at", LATER, START, f"starts_after={LATER:{ISO}}"),
        ("starts_at", START, LATER, f"starts_before={LATER:{ISO}}"),
        ("ends_at", LATER, SOON_OVER, f"ends_after={SOON_OVER:{ISO}}"),
    ],
)  # fmt: skip
def test_narrows_by(field: str, here: Any, there: Any, query: str) -> None:
    """EVT-8."""
    an_event(title="Here", online_url="https://meet.example/x", **{field: here})
    an_event(title="There", **{field: there})

    assert titles(query) == ["Here"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("price_min=10", ["Middle", "Dear"]),
        ("price_min=10.01", ["Dear"]),
        ("price_max=10", ["Free", "Middle"]),
        ("price_max=9.99", ["Free"]),
        ("price_min=5&price_max=50", ["Middle"]),
        ("is_free=true", ["Free"]),
        ("is_free=false", ["Middle", "Dear"]),
        ("ordering=price", ["Free", "Middle", "Dear"]),
        ("ordering=-price", ["Dear", "Middle", "Free"]),
    ],
)
def test_compares_the_lowest_price_on_view(query: str, expected: list[str]) -> None:
    an_event(title="Free", price=0, starts_at=START)
    kinds = [{"name": "Patron", "price": Decimal(90)}, {"name": "Regular", "price": Decimal(10)}]
    middle = an_event(title="Middle", starts_at=START + timedelta(days=1), ticket_types=kinds)
    hidden = TicketType.objects.create(event=middle, name="Crew", price=0, is_visible=False)
    an_event(title="Dear", price=60, starts_at=START + timedelta(days=2))
    update_ticket_type(
        ticket_type_id=hidden.pk, changes={"description": "For helpers"}, actor=middle.organizer, now=NOW
    )

    assert titles(query) == expected


def test_a_ticket_type_that_comes_into_view_counts_at_once() -> None:
    event = an_event(title="Dear", price=60)
    kind = TicketType.objects.get(event=event)

    update_ticket_type(ticket_type_id=kind.pk, changes={"price": Decimal(5)}, actor=event.organizer, now=NOW)
    assert titles("price_max=5") == ["Dear"]

    update_ticket_type(ticket_type_id=kind.pk, changes={"is_visible": False}, actor=event.organizer, now=NOW)
    assert titles("price_max=5") == titles("is_free=true") == []
    assert titles("ordering=price") == ["Dear"]


def test_without_a_price_on_view_comes_last_either_way() -> None:
    for title, price in (("None", 1), ("Dear", 60), ("Free", 0)):
        event = an_event(title=title, price=price)
        if title == "None":
            kind = TicketType.objects.get(event=event)
            update_ticket_type(ticket_type_id=kind.pk, changes={"is_visible": False}, actor=event.organizer, now=NOW)

    assert titles("ordering=price") == ["Free", "Dear", "None"]
    assert titles("ordering=-price") == ["Dear", "Free", "None"]


def test_orders_and_narrows_by_rating() -> None:
    for title, rating, count in (("Good", "4.50", 2), ("Fair", "3.00", 9), ("New", None, 0)):
        event = an_event(title=title)
        Event.objects.filter(pk=event.pk).update(average_rating=rating and Decimal(rating), review_count=count)

    assert titles("ordering=-average_rating") == ["Good", "Fair", "New"]
    assert titles("rating_min=4.5") == ["Good"]
    assert titles("rating_min=3.01") == ["Good"]
    assert titles("rating_min=0") == ["Good", "Fair"] or titles("rating_min=0") == ["Fair", "Good"]


@pytest.mark.parametrize("name", ["starts_at", "ends_at", "created_at", "title"])
def test_orders_by(name: str) -> None:
    an_event(title="A", now=NOW - timedelta(days=2), starts_at=START)
    an_event(title="B", now=NOW - timedelta(days=1), starts_at=START + timedelta(days=1))
    an_event(title="C", now=NOW, starts_at=START + timedelta(days=2))

    assert titles(f"ordering={name}") == ["A", "B", "C"]
    assert titles(f"ordering=-{name}") == ["C", "B", "A"]


def _plain() -> None:
    an_event(title="event")


def _sold_out() -> None:
    event = an_event(title="event", capacity=3)
    Event.objects.filter(pk=event.pk).update(seats_taken=3)


def _type_sold_out() -> None:
    event = an_event(title="event", ticket_types=[{"name": "One", "quantity": 1}])
    TicketType.objects.filter(event=event).update(seats_taken=1)


def _one_type_left() -> None:
    event = an_event(title="event", ticket_types=[{"name": "One", "quantity": 1}, {"name": "Two", "quantity": 1}])
    TicketType.objects.filter(event=event, name="One").update(seats_taken=1)


def _pairs_only_and_one_seat() -> None:
    an_event(title="event", capacity=1, ticket_types=[{"name": "Pair", "min_per_booking": 2}])


def _pairs_only_and_two_seats() -> None:
    an_event(title="event", capacity=2, ticket_types=[{"name": "Pair", "min_per_booking": 2, "quantity": 2}])


def _not_yet() -> None:
    an_event(title="event", ticket_types=[{"name": "Late", "sales_start_at": NOW + timedelta(seconds=1)}])


def _just_now() -> None:
    an_event(title="event", ticket_types=[{"name": "Late", "sales_start_at": NOW}])


def _no_more() -> None:
    an_event(title="event", ticket_types=[{"name": "Early", "sales_end_at": NOW}])


def _waited_for() -> None:
    event = an_event(title="event")
    TicketType.objects.filter(event=event).update(waiting_count=1)


def _hidden() -> None:
    event = an_event(title="event")
    TicketType.objects.filter(event=event).update(is_visible=False)


def _closed() -> None:
    an_event(title="event", now=NOW - timedelta(days=1), registration_deadline=NOW, starts_at=START)


def _begun() -> None:
    an_event(title="event", now=NOW - timedelta(days=30), starts_at=NOW)


def _draft() -> None:
    a_draft(title="event")


@pytest.mark.parametrize(
    "make",
    [
        _plain, _sold_out, _type_sold_out, _one_type_left, _pairs_only_and_one_seat, _pairs_only_and_two_seats,
        _not_yet, _just_now, _no_more, _waited_for, _hidden, _closed, _begun, _draft,
    ],
)  # fmt: skip
def test_what_can_be_booked_is_what_each_event_says_of_itself(make: Any) -> None:
    """EVT-5: the filter and ``is_bookable`` are one rule."""
    make()
    admin = a_client_of(an_admin())
    says = admin.get("/api/events/").json()["results"][0]["is_bookable"]

    assert titles("is_bookable=true", admin) == (["event"] if says else [])
    assert titles("is_bookable=false", admin) == ([] if says else ["event"])
    assert Event.objects.filter(bookable_at(NOW)).exists() is says


def test_an_organizer_finds_their_own_drafts_by_state_and_nobody_elses() -> None:
    """EVT-6."""
    own, other = a_draft(title="Own"), a_draft(title="Other")

    assert titles("status=draft", a_client_of(own.organizer)) == ["Own"]
    assert titles("status=draft", a_client_of(an_organizer())) == titles("status=draft") == []
    assert sorted(titles("status=draft", a_client_of(an_admin()))) == ["Other", "Own"]
    assert titles(f"status=draft&organizer={other.organizer_id}", a_client_of(own.organizer)) == []


@pytest.mark.parametrize(
    "query",
    [
        "price_min=-1", "price_max=1e3", "price_max=1_000", "price_min=NaN", "price_min=٣", "price_min=1.2345",
        "rating_min=5.1", "rating_min=x", "is_free=yes", "is_bookable=1", "starts_after=2027-01-01",
        "ends_after=2027-01-01T00:00:00", "category=party", "ordering=seats_taken", "ordering=organizer__email",
        "organizer__email=a%40b.example", "search=" + "x" * 201, "skill=" + "x" * 61, "country=AUT", "lowest_price=1",
    ],
)  # fmt: skip
def test_a_malformed_or_unknown_parameter_is_refused_by_its_name(query: str) -> None:
    answer = APIClient().get(f"/api/events/?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("category=party", "Send one of workshop, webinar, conference, master_class, meetup, training."),
        ("format=zoom", "Send one of in_person, online, hybrid."),
    ],
)
def test_a_refusal_names_what_can_be_sent(query: str, message: str) -> None:
    answer = APIClient().get(f"/api/events/?{query}")

    assert answer.json()["errors"][0]["message"] == message


def test_a_refused_ordering_names_those_that_there_are() -> None:
    answer = APIClient().get("/api/ticket-types/?ordering=quantity")

    assert answer.json()["errors"] == [
        {
            "field": "ordering",
            "code": "invalid_choice",
            "message": "Send one of position, -position, price, -price, name, -name.",
        }
    ]
