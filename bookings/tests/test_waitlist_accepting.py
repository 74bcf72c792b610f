"""Accepting an offer: the seats that were held become a booking, once, in time, and for nobody else."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bookings.jobs import CLOSE_CANCELLED, JOBS
from bookings.models import Booking, Ticket, Waitlist
from bookings.services import accept_offer, confirm_late_payment, expire_booking, lapse_offer
from bookings.services.waitlist import OfferLapsed
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer
from eventhub_config.shared.actors import System
from eventhub_config.shared.integrity import all_checks
from events.availability import EventIsCancelled, RegistrationClosed, WaitlistOpen
from events.models import Event, TicketType
from events.services import cancel_event, update_event, update_ticket_type
from events.tests.factories import NOW, START, an_event
from users.tests.factories import a_client_of, a_user, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def accept(entry: Waitlist, **body: Any) -> Any:
    return a_client_of(entry.user).post(f"/api/waitlist/{entry.pk}/accept/", body, format="json")


def findings() -> list[str]:
    return [str(finding) for check in all_checks() for finding in check.findings()]


def run(name: str, now: Any = NOW) -> int:
    return next(job for job in JOBS if job.name == name).run(now)


def still_offered(entry: Waitlist) -> bool:
    """Return whether a refusal changed nothing."""
    entry.refresh_from_db()
    taken = Event.objects.get(pk=entry.event_id).seats_taken
    return (entry.status, entry.booking_id, taken) == ("offered", None, entry.event.capacity)


def a_paid_offer(seats: int = 1, **values: Any) -> Waitlist:
    """Return an offer of seats at 5.00 each: somebody did not pay for theirs."""
    event = an_event(capacity=seats, price=5, **values)
    unpaid = a_booking(event=event, seats=seats)
    entry = a_place(event, seats=seats)
    expire_booking(booking_id=unpaid.pk, now=NOW + timedelta(minutes=15))
    entry.refresh_from_db()
    return entry


def test_a_free_offer_is_confirmed_at_once_without_another_seat_being_taken() -> None:
    """BKG-5"""
    entry = an_offer()

    answer = accept(entry)

    booking = Booking.objects.get(user=entry.user)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["booking"]) == ("accepted", booking.pk)
    assert (booking.status, booking.seats, booking.confirmed_at) == ("confirmed", 1, NOW)
    event = Event.objects.get(pk=entry.event_id)
    assert (event.seats_taken, event.first_booked_at) == (1, NOW)
    assert findings() == []


def test_a_paid_offer_is_held_until_a_deadline_of_its_own() -> None:
    entry = a_paid_offer(seats=2)

    accept(entry, billing={"name": "Ada"}, special_requirements="No nuts")

    booking = Booking.objects.get(user=entry.user)
    assert (booking.status, booking.total_amount) == ("pending", Decimal("10.00"))
    assert booking.expires_at == NOW + timedelta(minutes=15)
    assert booking.special_requirements["other"] == "No nuts"
    assert booking.billing["name"] == "Ada"
    assert findings() == []


def test_an_accepted_offer_that_is_not_paid_goes_to_the_next() -> None:
    entry = a_paid_offer()
    a_place(entry.event)
    accept(entry)

    run("sweep_expired_holds", NOW + timedelta(minutes=15))

    assert [*Waitlist.objects.order_by("pk").values_list("status", flat=True)] == ["accepted", "offered"]
    assert findings() == []


def test_the_seats_are_named() -> None:
    entry = a_paid_offer(seats=3)

    accept(entry, attendees=[{}, {"attendee_name": "Grace", "attendee_email": "grace@example.org"}])

    names = Ticket.objects.filter(booking__user=entry.user).order_by("pk")
    assert [*names.values_list("attendee_name", "attendee_email")] == [
        (entry.user.display_name, entry.user.email),
        ("Grace", "grace@example.org"),
        ("", ""),
    ]


def test_no_more_seats_are_named_than_there_are() -> None:
    entry = an_offer()

    answer = accept(entry, attendees=[{"attendee_name": "Ada"}, {"attendee_name": "Grace"}])

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_many")
    assert still_offered(entry)


def test_sent_again_with_its_key_it_books_once() -> None:
    """PAY-6"""
    entry = an_offer()
    client, path = a_client_of(entry.user), f"/api/waitlist/{entry.pk}/accept/"

    first, again = (client.post(path, {}, headers={"Idempotency-Key": "mine"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Booking.objects.filter(user=entry.user).count() == 1


def test_accepting_twice_is_refused() -> None:
    entry = an_offer()
    accept(entry)

    answer = accept(entry)

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert answer.json()["detail"] == "This place on the waitlist has ended: booked."
    assert Booking.objects.filter(user=entry.user).count() == 1


def test_somebody_who_waits_has_nothing_to_accept() -> None:
    event = a_full_event()
    entry = a_place(event)

    answer = accept(entry)

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert answer.json()["detail"] == "No seats have been offered to this place yet."
    assert Booking.objects.filter(user=entry.user).count() == 0


def test_nobody_accepts_for_somebody_else() -> None:
    entry = an_offer()
    path = f"/api/waitlist/{entry.pk}/accept/"

    assert a_client_of(a_user()).post(path).status_code == 404
    assert a_client_of(an_organizer()).post(path).status_code == 404
    by_organizer = a_client_of(entry.event.organizer).post(path)

    assert (by_organizer.status_code, by_organizer.json()["code"]) == (403, "not_your_place")
    assert still_offered(entry)


def test_an_offer_is_good_until_its_deadline_and_not_a_moment_longer() -> None:
    """RELIABILITY B4"""
    in_time, late = an_offer(), an_offer()
    second = a_place(late.event)
    deadline = NOW + timedelta(days=1)

    accept_offer(entry_id=in_time.pk, actor=in_time.user, now=deadline - timedelta(microseconds=1))
    with pytest.raises(OfferLapsed):
        accept_offer(entry_id=late.pk, actor=late.user, now=deadline)

    assert Booking.objects.get(user=in_time.user).status == "confirmed"
    # The refusal passed the seats on: no sweep was needed.
    late.refresh_from_db()
    second.refresh_from_db()
    assert (late.status, second.status) == ("lapsed", "offered")


def test_it_is_the_same_refusal_once_the_sweep_has_been_there() -> None:
    entry = an_offer()
    deadline = NOW + timedelta(days=1)
    assert lapse_offer(entry_id=entry.pk, now=deadline)

    with pytest.raises(OfferLapsed):
        accept_offer(entry_id=entry.pk, actor=entry.user, now=deadline)

    assert Booking.objects.filter(user=entry.user).count() == 0


def test_a_cancelled_event_refuses_it() -> None:
    entry = an_offer()
    cancel_event(event_id=entry.event_id, reason="Storm", actor=entry.event.organizer, now=NOW)

    with pytest.raises(EventIsCancelled):
        accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW)

    assert still_offered(entry)


def test_the_end_of_registration_refuses_it() -> None:
    entry = an_offer(registration_deadline=NOW + timedelta(hours=1))

    with pytest.raises(RegistrationClosed):
        accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW + timedelta(hours=1))

    assert still_offered(entry)


def test_too_many_unpaid_bookings_refuse_a_paid_one(settings: Any) -> None:
    settings.MAX_OPEN_HOLDS = 1
    entry, free = a_paid_offer(), an_offer()
    unpaid = a_booking(user=entry.user, price=5)

    answer = accept(entry)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_open_holds")
    assert still_offered(entry)
    assert accept(free).status_code == 200
    # By the clock the other hold has run out, whether or not the sweep has been there.
    accept_offer(entry_id=entry.pk, actor=entry.user, now=NOW + timedelta(minutes=15))
    unpaid.refresh_from_db()
    assert unpaid.status == "expired"


def test_the_price_is_that_of_the_moment_it_is_accepted() -> None:
    entry = an_offer()
    kind = TicketType.objects.get(event=entry.event)
    update_ticket_type(ticket_type_id=kind.pk, changes={"price": Decimal("3.00")}, actor=entry.event.organizer, now=NOW)

    accept(entry)

    booking = Booking.objects.get(user=entry.user)
    assert (booking.status, booking.total_amount) == ("pending", Decimal("3.00"))


def test_an_offer_stands_though_its_type_is_hidden_or_smaller_parties_are_wanted_by_now() -> None:
    entry = a_paid_offer(seats=2)
    kind = TicketType.objects.get(event=entry.event)
    changes = {"is_visible": False, "max_per_booking": 1, "sales_end_at": NOW}
    update_ticket_type(ticket_type_id=kind.pk, changes=changes, actor=entry.event.organizer, now=NOW)

    assert accept(entry).status_code == 200


def test_the_capacity_is_never_cut_below_what_is_offered() -> None:
    from events.services.editing import CapacityBelowTaken

    entry = an_offer()

    with pytest.raises(CapacityBelowTaken):
        update_event(event_id=entry.event_id, changes={"capacity": 0}, actor=entry.event.organizer, now=NOW)


# --- The end of the queue ---


def test_a_cancelled_event_closes_its_queue_and_frees_what_was_offered() -> None:
    """EVT-2, BKG-5"""
    event = a_full_event(capacity=2)
    a_place(event), a_place(event)
    a_free_seat(event)
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    run("sweep_waitlists")
    CLOSE_CANCELLED.run(NOW)

    assert [*Waitlist.objects.values_list("status", flat=True)] == ["closed", "closed"]
    assert Event.objects.get(pk=event.pk).seats_taken == 0
    assert TicketType.objects.get(event=event).waiting_count == 0
    assert findings() == []


def test_a_queue_closes_with_registration() -> None:
    event = a_full_event()
    a_place(event)

    assert run("sweep_waitlists", START - timedelta(seconds=1)) == 0
    assert run("sweep_waitlists", START) == 1

    assert Waitlist.objects.get().status == "closed"
    assert findings() == []


def test_a_queue_of_any_length_is_closed_in_one_run() -> None:
    event = a_full_event()
    for _ in range(101):
        a_place(event)
    cancel_event(event_id=event.pk, reason="Storm", actor=event.organizer, now=NOW)

    run("sweep_waitlists")

    assert Waitlist.objects.active().count() == 0
    assert findings() == []


# --- Money that arrives late ---


def test_a_late_payment_does_not_overtake_the_queue() -> None:
    """A booking expired while its money was on the way, and somebody waits: it goes back."""
    event = an_event(capacity=2, price=5)
    late = a_booking(event=event, seats=2)
    a_place(event, seats=2), a_place(event)
    expire_booking(booking_id=late.pk, now=NOW + timedelta(minutes=15))

    with pytest.raises(WaitlistOpen):
        confirm_late_payment(booking_id=late.pk, actor=System("test"), now=NOW + timedelta(minutes=16))

    assert [*Waitlist.objects.order_by("pk").values_list("status", flat=True)] == ["offered", "waiting"]


def test_a_late_payment_ends_the_payers_own_place() -> None:
    """Nobody is charged for what they wait for as well."""
    event = an_event(capacity=1, price=5)
    late = a_booking(event=event)
    expire_booking(booking_id=late.pk, now=NOW + timedelta(minutes=15))
    other = a_booking(event=event, now=NOW + timedelta(minutes=15))
    entry = a_place(event, user=late.user, now=NOW + timedelta(minutes=16))
    expire_booking(booking_id=other.pk, now=NOW + timedelta(minutes=30))
    entry.refresh_from_db()
    assert entry.status == "offered"

    confirm_late_payment(booking_id=late.pk, actor=System("test"), now=NOW + timedelta(minutes=31))

    entry.refresh_from_db()
    late.refresh_from_db()
    assert (late.status, entry.status) == ("confirmed", "left")
    assert Event.objects.get(pk=event.pk).seats_taken == 1
