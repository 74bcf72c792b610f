"""Ticket types of an event, through the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from bookings.tests.factories import a_booking
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


def test_the_price_of_what_was_booked_stays() -> None:
    booking = a_booking(price=10)
    kind = TicketType.objects.get(event=booking.event)

    response = client_of(booking.event.organizer).patch(f"/api/ticket-types/{kind.pk}/", {"price": "12.50"})

    booking.refresh_from_db()
    assert (response.json()["price"], booking.total_amount) == ("12.50", 10)
    assert TicketType.objects.get(pk=kind.pk).seats_taken == 1


def test_the_quantity_is_not_cut_below_what_is_taken() -> None:
    booking = a_booking(seats=3)
    kind = TicketType.objects.get(event=booking.event)
    client = client_of(booking.event.organizer)

    response = client.patch(f"/api/ticket-types/{kind.pk}/", {"quantity": 2})

    assert (response.status_code, response.json()["code"]) == (409, "capacity_below_taken")
    assert TicketType.objects.get(pk=kind.pk).quantity is None
    assert client.patch(f"/api/ticket-types/{kind.pk}/", {"quantity": 3}).json()["seats_left"] == 0


def test_what_was_booked_cannot_be_deleted() -> None:
    booking = a_booking(ticket_types=[{"name": "A"}, {"name": "B"}])
    booked, free = TicketType.objects.in_order().filter(event=booking.event)
    client = client_of(booking.event.organizer)

    refusal = client.delete(f"/api/ticket-types/{booked.pk}/")
    deleted = client.delete(f"/api/ticket-types/{free.pk}/")
    last = client.delete(f"/api/ticket-types/{booked.pk}/")

    assert (refusal.status_code, refusal.json()["code"]) == (409, "ticket_type_in_use")
    assert deleted.status_code == 204
    assert (last.status_code, last.json()["code"]) == (409, "last_ticket_type")


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
