"""Eligibility tells beforehand what a booking would be answered with: by the same rules, for the same person."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as project_settings
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from events.models import Event, TicketType
from events.services import cancel_event
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def client_of(user: CustomUser | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def eligibility(event: Event, user: CustomUser | None) -> dict[str, Any]:
    response = client_of(user).get(f"/api/events/{event.pk}/eligibility/")
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def book(event: Event, user: CustomUser, **body: Any) -> Any:
    return client_of(user).post("/api/bookings/", {"event": event.pk, **body})


def book_the_smallest(event: Event, user: CustomUser, kind: TicketType) -> Any:
    return book(event, user, tickets=[{"ticket_type": kind.pk, "quantity": kind.min_per_booking}])


# --- It agrees with booking -------------------------------------------------------------------------------------------

Scene = Callable[[CustomUser], Event]


def of_types(*kinds: dict[str, Any], **values: Any) -> Scene:
    return lambda _: an_event(ticket_types=[{"name": f"Type {n}"} | kind for n, kind in enumerate(kinds)], **values)


def cancelled(_: CustomUser) -> Event:
    event = an_event()
    return cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)


def with_a_queue(_: CustomUser) -> Event:
    event = an_event()
    TicketType.objects.filter(event=event).update(waiting_count=1)
    return event


def booked(user: CustomUser) -> Event:
    return a_booking(user=user).event


def booked_and_sold_out(user: CustomUser) -> Event:
    return a_booking(user=user, capacity=1).event


def booked_and_cancelled(user: CustomUser) -> Event:
    event = booked(user)
    return cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)


def given_back(user: CustomUser) -> Event:
    booking = a_booking(user=user, capacity=1)
    cancel_booking(booking_id=booking.pk, actor=user, now=NOW)
    return booking.event


def with_many_open_holds(user: CustomUser) -> Event:
    for _ in range(project_settings.MAX_OPEN_HOLDS):
        a_booking(user=user, price=5)
    return an_event(price=5)


def with_many_open_holds_for_free(user: CustomUser) -> Event:
    with_many_open_holds(user)
    return an_event()


def with_many_overdue_holds(user: CustomUser) -> Event:
    for _ in range(project_settings.MAX_OPEN_HOLDS):
        a_booking(user=user, price=5, now=NOW - timedelta(minutes=15 + project_settings.EXPIRED_HOLDS_WINDOW_MINUTES))
    return an_event(price=5)


def with_holds_that_ran_out_just_now(user: CustomUser) -> Event:
    for _ in range(project_settings.EXPIRED_HOLDS_ALLOWED):
        a_booking(user=user, price=5, now=NOW - timedelta(minutes=15))
    return an_event(price=5)


def held_by_others_until_now(_: CustomUser) -> Event:
    return a_booking(price=5, capacity=1, now=NOW - timedelta(minutes=15)).event


def held_by_others_for_a_second_more(_: CustomUser) -> Event:
    return a_booking(price=5, capacity=1, now=NOW - timedelta(minutes=15) + timedelta(seconds=1)).event


def held_by_oneself_until_now(user: CustomUser) -> Event:
    return a_booking(user=user, price=5, capacity=1, now=NOW - timedelta(minutes=15)).event


def missed(user: CustomUser) -> Event:
    booking = a_booking(user=user)
    Booking.objects.filter(pk=booking.pk).update(status="no_show")
    return booking.event


def an_own_draft(user: CustomUser) -> Event:
    return a_draft(organizer=user)


SCENES: dict[str, tuple[Scene, str | None]] = {
    "open": (lambda _: an_event(), None),
    "for money": (lambda _: an_event(price=5), None),
    "of one's own": (lambda user: an_event(organizer=user), None),
    "an own draft": (an_own_draft, "not_published"),
    "cancelled": (cancelled, "event_cancelled"),
    "closed": (lambda _: an_event(registration_deadline=NOW, now=NOW - timedelta(days=1)), "registration_closed"),
    "begun": (lambda _: an_event(starts_at=NOW, now=NOW - timedelta(days=1)), "registration_closed"),
    "sales to come": (of_types({"sales_start_at": NOW + timedelta(seconds=1)}), "sales_not_started"),
    "sales just begun": (of_types({"sales_start_at": NOW}), None),
    "sales over": (of_types({"sales_end_at": NOW}), "sales_ended"),
    "nothing on view": (of_types({"is_visible": False}), "sales_not_started"),
    "no seat": (lambda _: an_event(capacity=0), "sold_out"),
    "no seat of the type": (of_types({"quantity": 0}), "sold_out"),
    "one type over, the other sold out": (of_types({"sales_end_at": NOW}, {}, capacity=0), "sold_out"),
    "one type over, the other on sale": (of_types({"sales_end_at": NOW}, {}), None),
    "pairs only": (of_types({"min_per_booking": 2}), None),
    "pairs, one seat left": (of_types({"min_per_booking": 2}, capacity=1), "sold_out"),
    "pairs, then single seats": (of_types({"min_per_booking": 2}, {}), None),
    "groups larger than anybody may book": (of_types({"min_per_booking": 30, "max_per_booking": 30}), "too_many_seats"),
    "people waiting": (with_a_queue, "waitlist_open"),
    "booked": (booked, "already_booked"),
    "booked, sold out since": (booked_and_sold_out, "already_booked"),
    "booked, cancelled since": (booked_and_cancelled, "event_cancelled"),
    "booked and not come": (missed, "already_booked"),
    "given back": (given_back, None),
    "many open holds": (with_many_open_holds, "too_many_open_holds"),
    "many open holds, for free": (with_many_open_holds_for_free, None),
    "many holds that have run out": (with_many_overdue_holds, None),
    "too many of them within the hour": (with_holds_that_ran_out_just_now, "booking_paused"),
    "held by others until now": (held_by_others_until_now, None),
    "held by others for a second more": (held_by_others_for_a_second_more, "sold_out"),
    "held by oneself until now": (held_by_oneself_until_now, None),
}


@pytest.mark.parametrize(("scene", "reason"), SCENES.values(), ids=SCENES.keys())
def test_agrees_with_booking(scene: Scene, reason: str | None) -> None:
    """EVT-5"""
    user = an_organizer()
    event = scene(user)

    told = eligibility(event, user)

    assert (told["is_eligible"], told["reason"], bool(told["detail"])) == (reason is None, reason, reason is not None)
    kinds = {kind.pk: kind for kind in TicketType.objects.filter(event=event, is_visible=True)}
    assert set(kinds) == {of_type["ticket_type"] for of_type in told["ticket_types"]}
    answers = {}
    for of_type in told["ticket_types"]:
        answer = book_the_smallest(event, user, kinds[of_type["ticket_type"]])
        answers[answer.status_code == 201] = answer
        assert (answer.status_code, answer.json().get("code")) == (
            (201, None) if of_type["is_eligible"] else (409, of_type["reason"])
        )
        if of_type["is_eligible"]:  # so that the next type is asked for by somebody who has not booked
            cancel_booking(booking_id=answer.json()["id"], actor=user, now=NOW)
    assert (True in answers) == told["is_eligible"]
    if reason is not None and all(kind.min_per_booking == 1 for kind in kinds.values()):  # the event alone is one seat
        alone = book(event, user)
        assert (alone.status_code, alone.json()["code"], alone.json()["detail"]) == (409, reason, told["detail"])


def test_every_reason_is_told() -> None:
    """The refusals of a booking, but for those that rest on how many seats are asked for, or on a change meanwhile."""
    from bookings.views import BookingViewSet

    codes = {problem.code for problem in BookingViewSet.problems["create"]}

    assert codes - {"too_few_seats", "event_changed"} == {reason for _scene, reason in SCENES.values() if reason}


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ({}, 10),  # the type's own limit
        ({"capacity": 7}, 7),
        ({"ticket_types": [{"name": "A", "quantity": 3}], "capacity": 7}, 3),
        ({"ticket_types": [{"name": "A", "max_per_booking": 500}]}, 20),
        ({"ticket_types": [{"name": "A", "max_per_booking": 500}], "capacity": 20}, 20),
    ],
)
def test_the_most_seats_that_it_tells_can_be_booked_and_no_more(values: dict[str, Any], most: int) -> None:
    event, user = an_event(**values), a_user()
    kind = TicketType.objects.get(event=event)

    assert eligibility(event, user)["ticket_types"][0]["max_seats"] == most

    more = book(event, user, tickets=[{"ticket_type": kind.pk, "quantity": most + 1}])
    assert (more.status_code, more.json()["code"]) in {(409, "sold_out"), (409, "too_many_seats")}
    assert book(event, user, tickets=[{"ticket_type": kind.pk, "quantity": most}]).status_code == 201


def test_without_signing_in_the_reasons_for_everybody_come_first() -> None:
    free, full = an_event(), an_event(capacity=0)

    assert (eligibility(free, None)["reason"], eligibility(full, None)["reason"]) == ("not_authenticated", "sold_out")
    assert eligibility(free, None)["ticket_types"][0]["max_seats"] == 0
    answer = client_of(None).post("/api/bookings/", {"event": free.pk})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_the_whole_answer() -> None:
    event = an_event(price=5, capacity=4, ticket_types=[{"name": "A", "price": Decimal(5)}, {"name": "B"}])
    first, second = TicketType.objects.in_order().filter(event=event)
    booking = a_booking(event=event)

    assert eligibility(event, booking.user) == {
        "event": event.pk,
        "is_eligible": False,
        "reason": "already_booked",
        "detail": "You have a booking for this event.",
        "ticket_types": [
            {
                "ticket_type": kind.pk,
                "is_eligible": False,
                "reason": "already_booked",
                "seats_left": 3,
                "max_seats": 0,
                "can_join_waitlist": False,
            }
            for kind in (first, second)
        ],
        "booking": {
            "id": booking.pk,
            "reference": booking.reference,
            "status": "pending",
            "expires_at": "2027-03-01T12:15:00Z",
        },
        "waitlist_entry": None,
        "online_url": None,
    }


def test_a_hold_that_has_run_out_is_no_booking_any_more() -> None:
    booking = a_booking(price=5, now=NOW - timedelta(minutes=15))

    assert eligibility(booking.event, booking.user)["booking"] is None


# --- The link to join by ----------------------------------------------------------------------------------------------

LINK = "https://live.example/room"


def links(event: Event, *people: CustomUser | None) -> list[str | None]:
    return [eligibility(event, person)["online_url"] for person in people]


def test_the_link_is_for_confirmed_bookings_and_those_who_run_the_event() -> None:
    """EVT-1"""
    event = an_event(format="online", online_url=LINK, price=5)
    confirmed, unpaid = a_booking(event=event), a_booking(event=event)
    Booking.objects.filter(pk=confirmed.pk).update(status="confirmed", expires_at=None)

    insiders = [confirmed.user, event.organizer, an_admin()]
    outsiders = [unpaid.user, a_user(), an_organizer(), None]

    assert links(event, *insiders, *outsiders) == [LINK] * 3 + [None] * 4


@pytest.mark.parametrize("status", ["cancelled", "expired", "no_show"])
def test_the_link_goes_with_the_booking(status: str) -> None:
    booking = a_booking(format="online", online_url=LINK)
    assert links(booking.event, booking.user) == [LINK]

    Booking.objects.filter(pk=booking.pk).update(status=status)

    assert links(booking.event, booking.user) == [None]


def test_the_link_of_a_cancelled_event_is_for_those_who_run_it() -> None:
    booking = a_booking(format="online", online_url=LINK)
    Event.objects.filter(pk=booking.event_id).update(status="cancelled")

    assert links(booking.event, booking.user, booking.event.organizer) == [None, LINK]


# --- Over HTTP --------------------------------------------------------------------------------------------------------


def test_a_draft_looks_like_no_event_at_all() -> None:
    """EVT-6"""
    draft = a_draft()

    for person in (None, a_user(), an_organizer()):
        of_draft = client_of(person).get(f"/api/events/{draft.pk}/eligibility/")
        of_nothing = client_of(person).get("/api/events/987654321/eligibility/")

        assert (of_draft.status_code, of_nothing.status_code) == (404, 404)
        assert {**of_draft.json(), "request_id": ""} == {**of_nothing.json(), "request_id": ""}


def test_is_light_and_never_kept(django_assert_num_queries: Any) -> None:
    """Who asks, the event, its types and their bookings; one more where it looks sold out."""
    event, full = an_event(ticket_types=[{"name": str(n)} for n in range(5)]), an_event(capacity=0)
    client, stranger = a_client_of(a_user()), APIClient()

    with django_assert_num_queries(4):
        response = client.get(f"/api/events/{event.pk}/eligibility/")
    with django_assert_num_queries(5):
        client.get(f"/api/events/{full.pk}/eligibility/")
    with django_assert_num_queries(2):
        stranger.get(f"/api/events/{event.pk}/eligibility/")

    assert response["Cache-Control"] == "no-store"


def test_asking_changes_nothing() -> None:
    booking = a_booking(price=5, capacity=1, now=START - timedelta(days=31))

    eligibility(booking.event, a_user())

    booking.refresh_from_db()
    booking.event.refresh_from_db()
    assert (booking.status, booking.event.seats_taken) == ("pending", 1)
