"""What bookings do to the events they are for: to edits, ticket types and lists."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from bookings.tests.factories import a_booking
from events.models import Event, TicketType
from events.tests.factories import an_event
from users.models import CustomUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def client_of(user: CustomUser | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def edit(event: Event, user: CustomUser | None = None, *, version: str | None = None, **body: Any) -> Any:
    headers = {"If-Match": version} if version else {}
    return client_of(user or event.organizer).patch(f"/api/events/{event.pk}/", body, headers=headers)


def test_withdrawing_takes_an_unbooked_event_back() -> None:
    event, booked = an_event(), a_booking().event

    assert client_of(event.organizer).post(f"/api/events/{event.pk}/withdraw/").json()["status"] == "draft"
    assert client_of(None).get(f"/api/events/{event.pk}/").status_code == 404

    response = client_of(booked.organizer).post(f"/api/events/{booked.pk}/withdraw/")
    assert (response.status_code, response.json()["code"]) == (409, "event_has_bookings")


def test_an_edit_raises_the_version_and_nothing_else_does() -> None:
    event = an_event()
    before = event.version
    a_booking(event=event)
    event.refresh_from_db()
    assert event.version == before

    response = edit(event, title="Renamed")

    assert (response.json()["title"], response.json()["version"]) == ("Renamed", before + 1)
    assert Event.objects.get(pk=event.pk).seats_taken == 1


def test_an_edit_that_rests_on_an_older_reading_is_refused() -> None:
    event = an_event()
    read = client_of(None).get(f"/api/events/{event.pk}/")
    a_booking(event=event)  # a sale is no edit: the reading still holds

    assert edit(event, version=read["ETag"], title="First").status_code == 200
    refusal = edit(event, version=read["ETag"], title="Second")

    assert (refusal.status_code, refusal.json()["code"]) == (412, "version_mismatch")
    assert Event.objects.get(pk=event.pk).title == "First"


def test_what_did_not_change_is_not_sent_again() -> None:
    event = an_event()
    first = client_of(None).get(f"/api/events/{event.pk}/")

    again = client_of(None).get(f"/api/events/{event.pk}/", headers={"If-None-Match": first["ETag"]})
    a_booking(event=event)
    after_sale = client_of(None).get(f"/api/events/{event.pk}/", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert (after_sale.status_code, after_sale.json()["seats_taken"]) == (200, 1)


def test_capacity_is_not_cut_below_what_is_taken() -> None:
    event = a_booking(seats=3, capacity=10).event

    response = edit(event, capacity=2)

    assert (response.status_code, response.json()["code"]) == (409, "capacity_below_taken")
    assert "3 seats are taken" in response.json()["detail"]
    assert Event.objects.get(pk=event.pk).capacity == 10
    assert edit(event, capacity=3).json()["seats_left"] == 0


def test_the_currency_is_frozen_by_the_first_booking() -> None:
    event = an_event()
    assert edit(event, currency="CHF").json()["currency"] == "CHF"
    a_booking(event=event)

    response = edit(event, currency="EUR")

    assert (response.status_code, response.json()["code"]) == (409, "currency_frozen")


def test_availability_tells_each_type(django_assert_num_queries: Any) -> None:
    """EVT-5"""
    event = an_event(
        capacity=5, ticket_types=[{"name": "A", "quantity": 1}, {"name": "B"}, {"name": "Secret", "is_visible": False}]
    )
    first = TicketType.objects.get(event=event, name="A")
    a_booking(event=event)

    with django_assert_num_queries(2):
        body = client_of(None).get(f"/api/events/{event.pk}/availability/").json()

    assert (body["seats_taken"], body["seats_left"], body["is_bookable"]) == (1, 4, True)
    assert body["ticket_types"][0] == {
        "ticket_type": first.pk, "seats_left": 0, "is_bookable": False, "unavailable_reason": "sold_out"
    }  # fmt: skip
    assert [kind["seats_left"] for kind in body["ticket_types"]] == [0, 4]


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
