"""Changing a booking: names, requirements and billing, by whoever made it, until the event starts."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, change_booking
from bookings.tests.factories import a_booking
from eventhub_config.tests.races import at_once, outcomes
from events.tests.factories import NOW, START
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def change(booking: Booking, user: CustomUser | None = None, **body: Any) -> Any:
    return a_client_of(user or booking.user).patch(f"/api/bookings/{booking.pk}/", body)


def test_changes_what_is_given_and_leaves_the_rest() -> None:
    """BKG-1, BKG-4"""
    booking = a_booking(seats=2)
    first, second = Ticket.objects.order_by("pk")
    change(
        booking, special_requirements={"dietary": "vegan", "other": "Late"}, billing={"city": "Riga", "country": "LV"}
    )

    answer = change(
        booking,
        special_requirements={"dietary": "none"},
        billing={"company": "Bakers"},
        tickets=[{"id": second.pk, "attendee_name": "Bea"}],
    )

    body = answer.json()
    assert answer.status_code == 200
    assert body["special_requirements"] == {"dietary": "none", "accessibility": "", "other": "Late"}
    assert (body["billing"]["company"], body["billing"]["city"], body["billing"]["country"]) == ("Bakers", "Riga", "LV")
    assert [(it["attendee_name"], it["attendee_email"]) for it in body["tickets"]] == [
        (first.attendee_name, first.attendee_email),
        ("Bea", ""),
    ]
    assert a_client_of(booking.user).get(f"/api/bookings/{booking.pk}/").json() == body


def test_requirements_may_be_a_plain_text_here_too() -> None:
    booking = a_booking()
    change(booking, special_requirements={"dietary": "vegan"})

    body = change(booking, special_requirements="A chair with arms").json()

    assert body["special_requirements"] == {"dietary": "vegan", "accessibility": "", "other": "A chair with arms"}


def test_texts_can_be_emptied() -> None:
    booking = a_booking()
    ticket = Ticket.objects.get()

    body = change(booking, tickets=[{"id": ticket.pk, "attendee_name": "", "attendee_email": ""}]).json()

    assert (body["tickets"][0]["attendee_name"], body["tickets"][0]["attendee_email"]) == ("", "")


def test_nothing_else_can_be_changed() -> None:
    """RELIABILITY H3"""
    booking = a_booking(price=5)
    before = Booking.objects.values().get()

    answer = change(
        booking, status="confirmed", seats=9, amount_due="0.00", event=1, waiver_reason="Mine", expires_at="2037-01-01"
    )

    assert answer.status_code == 200
    assert Booking.objects.values().get() == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"tickets": [{"attendee_name": "Bea"}]}, "tickets.0.id", "required"),
        ({"tickets": [{"id": 10**6, "attendee_name": "Bea"}]}, "tickets.0.id", "does_not_exist"),
        ({"tickets": [{"id": 0}]}, "tickets.0.id", "min_value"),
        ({"billing": {"country": "Germany"}}, "billing.country", "invalid"),
        ({"special_requirements": {"dietary": "x" * 501}}, "special_requirements.dietary", "max_length"),
        ({"special_requirements": 5}, "special_requirements", "invalid"),
    ],
)
def test_refuses_what_is_wrong_and_changes_nothing(body: dict[str, Any], field: str, code: str) -> None:
    booking = a_booking()
    before = Booking.objects.values().get()

    answer = change(booking, **{"special_requirements": {"other": "Late"}} | body)

    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    assert Booking.objects.values().get() == before


def test_says_how_a_country_is_written() -> None:
    answer = change(a_booking(), billing={"country": "Germany"})

    assert answer.json()["detail"] == "billing.country: Send the two capital letters of ISO 3166-1, such as DE."


def test_a_ticket_of_another_booking_looks_like_none() -> None:
    booking = a_booking()
    foreign = a_booking().tickets.get()

    answer = change(booking, tickets=[{"id": foreign.pk, "attendee_name": "Mine"}])

    assert answer.json()["errors"] == [
        {"field": "tickets.0.id", "code": "does_not_exist", "message": "There is no such object."}
    ]
    assert Ticket.objects.get(pk=foreign.pk).attendee_name == foreign.attendee_name


def test_by_whoever_booked_and_administrators() -> None:
    booking = a_booking()
    people = [booking.event.organizer, an_organizer(), a_user(), an_admin(), booking.user]

    answers = [change(booking, user, special_requirements="Late") for user in people]

    assert [answer.status_code for answer in answers] == [403, 404, 404, 200, 200]
    assert answers[0].json()["code"] == "not_your_booking"


def test_until_the_event_starts() -> None:
    booking = a_booking()

    with time_machine.travel(START - timedelta(seconds=1), tick=False):
        before = change(booking, special_requirements="In time")
    with time_machine.travel(START, tick=False):
        after = change(booking, special_requirements="Too late")

    assert before.status_code == 200
    assert (after.status_code, after.json()["code"]) == (409, "event_has_started")
    booking.refresh_from_db()
    assert booking.special_requirements == {"other": "In time"}


def test_a_closed_booking_stays_as_it_was() -> None:
    booking = a_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    answer = change(booking, special_requirements="Once more")

    assert (answer.status_code, answer.json()["code"]) == (409, "booking_is_closed")
    booking.refresh_from_db()
    assert booking.special_requirements == {}


@pytest.mark.django_db(transaction=True)
def test_two_who_change_different_things_both_get_them() -> None:
    booking = a_booking()
    given = [{"dietary": "vegan"}, {"accessibility": "ramp"}, {"other": "Late"}]

    results = at_once(
        [
            lambda it=it: change_booking(booking_id=booking.pk, special_requirements=it, actor=booking.user, now=NOW)
            for it in given
        ]
    )

    booking.refresh_from_db()
    assert outcomes(results) == {"ok": 3}
    assert booking.special_requirements == {"dietary": "vegan", "accessibility": "ramp", "other": "Late"}
