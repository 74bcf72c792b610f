"""Complimentary bookings: what organizers give away, and what they do not learn by it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import is_password_usable

from bookings.models import Booking, Ticket, Waitlist
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from events.models import Event, TicketType
from events.services import cancel_event
from events.tests.factories import NOW, START, a_draft, an_event
from users.models import CustomUser
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

GUEST = "guest@example.org"


def give(event: Event, user: CustomUser | None = None, **body: Any) -> Any:
    client = a_client_of(user or event.organizer)
    return client.post(f"/api/events/{event.pk}/complimentary/", {"email": GUEST, "reason": "Press"} | body)


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def test_is_confirmed_at_once_and_costs_nothing() -> None:
    """BKG-7"""
    event = an_event(price="25.00", capacity=10)

    answer = give(event, name="Grete", quantity=2)

    body = answer.json()
    assert (answer.status_code, body["status"], body["seats"]) == (201, "confirmed", 2)
    assert (body["total_amount"], body["amount_due"], body["waiver_reason"]) == ("0.00", "0.00", "Press")
    assert (body["invited_as"], body["user"]) == ("Grete", None)
    assert [(it["attendee_name"], it["attendee_email"], it["price"]) for it in body["tickets"]] == [
        ("Grete", GUEST, "0.00"),
        ("", GUEST, "0.00"),
    ]
    event.refresh_from_db()
    assert (event.seats_taken, event.first_booked_at) == (2, NOW)
    assert TicketType.objects.get().seats_taken == 2
    assert findings() == []


def test_makes_an_account_that_nobody_can_sign_in_to_yet() -> None:
    give(an_event())

    guest = CustomUser.objects.get(email=GUEST)
    assert not is_password_usable(guest.password)
    assert (guest.user_type, guest.email_verified_at, guest.first_name) == ("attendee", None, "")
    assert guest.username.startswith("guest-")
    assert guest.profile.timezone == "UTC"


def test_gives_to_the_account_that_there_is_however_its_address_is_spelled() -> None:
    guest = a_user(email=GUEST)

    assert give(an_event(), email="Guest@EXAMPLE.org").status_code == 201

    assert Booking.objects.get().user == guest
    assert CustomUser.objects.filter(email_key=GUEST).count() == 1


def test_the_answer_is_the_same_whether_or_not_there_is_an_account() -> None:
    a_user(email="known@example.org", first_name="Secret", last_name="Person", username="secretperson")
    event = an_event()

    known = give(event, email="known@example.org").json()
    unknown = give(event, email="unknown@example.org").json()

    def comparable(body: dict[str, Any], name: str) -> str:
        own = {body["reference"], *(ticket["code"] for ticket in body["tickets"])}
        text = repr({key: value for key, value in body.items() if key not in {"id", "tickets"}})
        for word in own:
            text = text.replace(word, "")
        return text.replace(name, "")

    assert comparable(known, "known@example.org") == comparable(unknown, "unknown@example.org")
    assert set(known) == set(unknown)


def test_shows_and_finds_only_what_the_organizer_called_them() -> None:
    a_user(email=GUEST, first_name="Secret", last_name="Person", username="secretperson")
    event = an_event()
    client = a_client_of(event.organizer)
    booking_id = give(event, name="Grete").json()["id"]
    Ticket.objects.update(attendee_email="")  # as the guest may

    listed = client.get(f"/api/events/{event.pk}/attendees/")
    own = client.get(f"/api/bookings/{booking_id}/")
    found = [
        client.get(f"/api/events/{event.pk}/attendees/?search={word}").json()["count"]
        for word in ("Grete", "Secret", "Person", "secretperson", "guest@example")
    ]

    assert listed.json()["results"][0]["booking"]["user"] == {"id": None, "name": "Grete"}
    assert listed.json()["results"][0]["attendee_email"] == ""
    assert own.json()["user"] is None
    assert found == [1, 0, 0, 0, 0]
    for answer in (listed, own):
        assert b"ecret" not in answer.content
        assert GUEST.encode() not in answer.content


def test_the_guest_and_administrators_see_whose_it_is() -> None:
    guest = a_user(email=GUEST)
    booking_id = give(an_event()).json()["id"]

    for reader in (guest, an_admin()):
        assert a_client_of(reader).get(f"/api/bookings/{booking_id}/").json()["user"] == guest.pk


def test_capacity_holds() -> None:
    event = an_event(capacity=3)
    a_booking(event=event, seats=2)

    refused = give(event, quantity=2)
    given = give(event)

    assert (refused.status_code, refused.json()["code"]) == (409, "sold_out")
    assert given.status_code == 201
    event.refresh_from_db()
    assert event.seats_taken == 3
    assert CustomUser.objects.filter(email=GUEST).count() == 1


def test_a_refusal_leaves_no_account_behind() -> None:
    event = an_event(capacity=1)
    a_booking(event=event)

    assert give(event).json()["code"] == "sold_out"

    assert not CustomUser.objects.filter(email=GUEST).exists()
    assert Booking.objects.count() == 1


def test_seats_of_holds_that_have_run_out_are_free() -> None:
    event = an_event(capacity=1, price=5)
    overdue = a_booking(event=event, now=NOW - timedelta(minutes=15))

    assert give(event).status_code == 201

    overdue.refresh_from_db()
    assert overdue.status == "expired"


def test_nobody_is_let_past_people_who_wait() -> None:
    event = an_event(capacity=5)
    TicketType.objects.update(waiting_count=1)

    answer = give(event)

    assert (answer.status_code, answer.json()["code"]) == (409, "waitlist_open")
    assert answer.json()["detail"] == "People are waiting for these seats, and nobody is given seats before them."
    assert Booking.objects.count() == Waitlist.objects.count() == 0


def test_what_is_for_buyers_does_not_count() -> None:
    """Hidden types, sales windows, and a closed registration."""
    hidden = {"name": "Crew", "price": Decimal(5), "is_visible": False, "sales_end_at": NOW - timedelta(days=1)}
    hidden["sales_start_at"] = NOW - timedelta(days=2)
    event = an_event(ticket_types=[{"name": "Standard"}, hidden], registration_deadline=NOW + timedelta(days=1))
    crew = TicketType.objects.get(name="Crew")

    with time_machine.travel(START + timedelta(hours=1), tick=False):
        by_type = give(event, ticket_type=crew.pk)
        by_default = give(event, email="other@example.org")

    assert by_type.json()["tickets"][0]["ticket_type"] == crew.pk
    assert by_default.json()["tickets"][0]["ticket_type"] == TicketType.objects.get(name="Standard").pk


def test_one_booking_each() -> None:
    event = an_event()
    give(event)

    again = give(event)

    assert (again.status_code, again.json()["code"]) == (409, "already_booked")
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": f"{'a' * 250}@example.org"}, "email", "max_length"),
        ({"reason": ""}, "reason", "blank"),
        ({"name": "two\nlines"}, "name", "control_character"),
        ({"quantity": 0}, "quantity", "min_value"),
        ({"ticket_type": 10**6}, "ticket_type", "does_not_exist"),
    ],
)
def test_refuses_what_is_wrong(body: dict[str, Any], field: str, code: str) -> None:
    answer = give(an_event(), **body)

    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    assert Booking.objects.count() == 0


def test_another_events_type_is_none_of_this_one() -> None:
    other = TicketType.objects.get(event=an_event())

    assert give(an_event(), ticket_type=other.pk).json()["errors"][0]["code"] == "does_not_exist"


def test_has_as_many_seats_as_a_booking_may(settings: Any) -> None:
    settings.MAX_SEATS_PER_BOOKING = 4
    event = an_event()

    assert give(event, quantity=5).json()["code"] == "too_many_seats"
    assert give(event, quantity=4).json()["seats"] == 4


def test_until_the_event_ends() -> None:
    event = an_event()

    with time_machine.travel(event.ends_at - timedelta(seconds=1), tick=False):
        before = give(event)
    with time_machine.travel(event.ends_at, tick=False):
        after = give(event, email="late@example.org")

    assert before.status_code == 201
    assert (after.status_code, after.json()["code"]) == (409, "event_is_over")


def test_not_for_drafts_and_cancelled_events() -> None:
    draft, cancelled = a_draft(), an_event()
    cancel_event(event_id=cancelled.pk, reason="Storm", actor=cancelled.organizer, now=NOW)

    assert give(draft).json()["code"] == "not_published"
    assert give(cancelled).json()["code"] == "event_cancelled"
    assert Booking.objects.count() == 0


def test_only_by_those_who_run_the_event() -> None:
    event = an_event()

    codes = [give(event, user).status_code for user in (a_user(), an_organizer(), an_admin())]

    assert codes == [403, 403, 201]


def test_sent_again_it_gives_once() -> None:
    """PAY-6"""
    event = an_event()
    client = a_client_of(event.organizer)
    url, body, key = f"/api/events/{event.pk}/complimentary/", {"email": GUEST, "reason": "Press"}, "key-1"

    first = client.post(url, body, headers={"Idempotency-Key": key})
    again = client.post(url, body, headers={"Idempotency-Key": key})

    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Booking.objects.count() == 1


def test_can_be_cancelled_like_any_other_and_given_again() -> None:
    event = an_event(price=10, refund_policy="none")
    booking = Booking.objects.get(pk=give(event).json()["id"])

    cancelled = cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    event.refresh_from_db()
    assert (cancelled.amount_due, event.seats_taken) == (Decimal(0), 0)
    assert give(event).status_code == 201
    assert findings() == []


def test_is_told_apart_in_the_figures_of_the_event() -> None:
    """EVT-7"""
    event = an_event(price=0)
    a_booking(event=event, seats=3)
    give(event, quantity=2)
    taken_back = give(event, email="other@example.org").json()["id"]
    cancel_booking(booking_id=taken_back, actor=event.organizer, now=NOW)

    figures = a_client_of(event.organizer).get(f"/api/events/{event.pk}/statistics/").json()["bookings"]

    assert (figures["seats_taken"], figures["complimentary_seats"]) == (5, 2)


def test_nobody_writes_to_people_without_end(settings: Any) -> None:
    settings.GIFTS_PER_DAY = 2
    event, other = an_event(), an_event()
    taken = give(event, email="one@example.org", quantity=99)  # refused: does not count
    given = [give(event, email="one@example.org"), give(event, email="two@example.org")]
    cancel_booking(booking_id=given[0].json()["id"], actor=event.organizer, now=NOW)

    refused = give(event, email="three@example.org")
    in_a_list = a_client_of(event.organizer).post(
        f"/api/events/{event.pk}/complimentary_import/",
        {"csv": "email\nfour@example.org", "reason": "x"},
        format="json",
    )

    assert taken.json()["code"] == "too_many_seats"
    assert [answer.status_code for answer in given] == [201, 201]
    assert [(it.status_code, it.json()["code"]) for it in (refused, in_a_list)] == [(409, "invitations_paused")] * 2
    assert refused["Retry-After"] == "86400"
    assert not CustomUser.objects.filter(email__in=["three@example.org", "four@example.org"]).exists()
    assert give(other, email="one@example.org").status_code == 201
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert give(event, email="three@example.org").status_code == 201


def test_a_request_that_is_sent_again_counts_once(settings: Any) -> None:
    settings.GIFTS_PER_DAY = 2
    event = an_event()
    client, path = a_client_of(event.organizer), f"/api/events/{event.pk}/complimentary/"
    body = {"email": GUEST, "reason": "Press"}

    again = [client.post(path, body, headers={"Idempotency-Key": "one"}).json()["id"] for _ in range(3)]

    assert len(set(again)) == 1
    assert give(event, email="two@example.org").status_code == 201
