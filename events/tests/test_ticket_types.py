"""Ticket types of an event, through the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from events.models import Event, TicketType
from events.tests.factories import a_draft, an_event
from users.models import CustomUser
from users.tests.factories import an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def client_of(user: CustomUser) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_another_type_can_be_added() -> None:
    event = an_event()

    response = client_of(event.organizer).post("/api/ticket-types/", {"event": event.pk, "name": "VIP", "price": "99"})

    assert (response.status_code, response.json()["price"], response.json()["seats_taken"]) == (201, "99.00", 0)
    assert Event.objects.get(pk=event.pk).version == event.version + 1


@pytest.mark.parametrize(
    ("values", "field"),
    [({"name": "Standard"}, "name"), ({"price": "1.001"}, "price"), ({"max_per_booking": 0}, "max_per_booking")],
)
def test_what_cannot_be_is_refused_by_its_field(values: dict[str, Any], field: str) -> None:
    event = an_event()
    client = client_of(event.organizer)

    response = client.post("/api/ticket-types/", {"event": event.pk, "name": "New", **values})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert TicketType.objects.filter(event=event).count() == 1


def test_a_hidden_type_is_for_its_organizer_only() -> None:
    event = an_event(ticket_types=[{"name": "A"}, {"name": "Secret", "is_visible": False}])

    of_organizer = client_of(event.organizer).get(f"/api/ticket-types/?event={event.pk}").json()
    of_others = APIClient().get(f"/api/ticket-types/?event={event.pk}").json()

    assert [kind["name"] for kind in of_organizer["results"]] == ["A", "Secret"]
    assert [kind["name"] for kind in of_others["results"]] == ["A"]
    assert [kind["name"] for kind in APIClient().get(f"/api/events/{event.pk}/").json()["ticket_types"]] == ["A"]


def test_strangers_change_nothing() -> None:
    public, draft = an_event(), a_draft()
    stranger = client_of(an_organizer())
    of_public, of_draft = TicketType.objects.get(event=public), TicketType.objects.get(event=draft)

    assert stranger.patch(f"/api/ticket-types/{of_public.pk}/", {"price": "0"}).status_code == 403
    assert stranger.patch(f"/api/ticket-types/{of_draft.pk}/", {"price": "0"}).status_code == 404
    assert stranger.post("/api/ticket-types/", {"event": draft.pk, "name": "X"}).status_code == 400
    assert stranger.post("/api/ticket-types/", {"event": public.pk, "name": "X"}).status_code == 403
    assert TicketType.objects.count() == 2


def test_the_list_takes_one_statement(django_assert_num_queries: Any) -> None:
    an_event(ticket_types=[{"name": "A"}, {"name": "B"}, {"name": "C"}])

    with django_assert_num_queries(1):
        assert APIClient().get("/api/ticket-types/").json()["count"] == 3
