"""Freed seats: offered to those who wait, in their order, by whatever frees them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.jobs import JOBS
from bookings.models import Booking, Waitlist
from bookings.services import book_seats, cancel_booking, expire_booking, leave_waitlist, offer_next
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.services.waitlist import NobodyWaiting
from bookings.tests.factories import a_booking, a_free_seat, a_full_event, a_place, an_offer
from eventhub_config.shared import periodic
from eventhub_config.shared.integrity import all_checks
from events.availability import RegistrationClosed, SoldOut, WaitlistOpen
from events.models import Event, TicketType
from events.services import update_event, update_ticket_type
from events.services.editing import NotOwner
from events.tests.factories import NOW, START, an_event
from users.models import CustomUser
from users.services import set_active
from users.tests.factories import a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def states(event: Event) -> list[str]:
    """Return the states of an event's queue, in the order in which people joined, having seen that all is sound."""
    assert [str(finding) for check in all_checks() for finding in check.findings()] == []
    return [*Waitlist.objects.filter(event=event).order_by("pk").values_list("status", flat=True)]


def run(name: str, now: Any = NOW) -> int:
    return next(job for job in JOBS if job.name == name).run(now)


def edit(event: Event, **changes: Any) -> None:
    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=NOW)


def test_a_cancellation_is_offered_to_the_first_and_held_for_them() -> None:
    """BKG-5, RELIABILITY B1"""
    event = a_full_event()
    first, _second = a_place(event), a_place(event)

    a_free_seat(event)

    assert states(event) == ["offered", "waiting"]
    first.refresh_from_db()
    assert (first.offered_at, first.offer_expires_at) == (NOW, NOW + timedelta(days=1))
    event.refresh_from_db()
    kind = TicketType.objects.get(event=event)
    assert (event.seats_taken, kind.seats_taken, kind.waiting_count) == (1, 1, 1)
    with pytest.raises(WaitlistOpen):
        a_booking(event=event)


def an_expiry(event: Event) -> None:
    booking = Booking.objects.get(event=event, status="pending")
    assert expire_booking(booking_id=booking.pk, now=NOW + timedelta(minutes=15))


def a_larger_capacity(event: Event) -> None:
    edit(event, capacity=2)


def a_larger_quantity(event: Event) -> None:
    kind = TicketType.objects.get(event=event)
    update_ticket_type(ticket_type_id=kind.pk, changes={"quantity": 2}, actor=event.organizer, now=NOW)


@pytest.mark.parametrize(
    ("frees", "limits"),
    [
        (a_free_seat, {"capacity": 1}),
        (an_expiry, {"capacity": 1, "price": 5}),
        (a_larger_capacity, {"capacity": 1}),
        (a_larger_quantity, {"ticket_types": [{"name": "Standard", "quantity": 1}]}),
    ],
)
def test_whatever_frees_a_seat_offers_it(frees: Callable[[Event], Any], limits: dict[str, Any]) -> None:
    event = an_event(**limits)
    a_booking(event=event)
    a_place(event)

    frees(event)

    assert states(event) == ["offered"]


def test_a_declined_offer_goes_to_the_next() -> None:
    entry = an_offer()
    a_place(entry.event)

    declined = a_client_of(entry.user).post(f"/api/waitlist/{entry.pk}/decline/")

    assert (declined.status_code, declined.json()["status"]) == (200, "declined")
    assert states(entry.event) == ["declined", "offered"]


def test_an_offer_of_whoever_leaves_goes_to_the_next() -> None:
    entry = an_offer()
    a_place(entry.event)

    leave_waitlist(entry_id=entry.pk, actor=entry.user, now=NOW)

    assert states(entry.event) == ["left", "offered"]


def test_an_offer_lapses_at_its_deadline_and_goes_to_the_next() -> None:
    entry = an_offer()
    second = a_place(entry.event)
    assert entry.offer_expires_at

    assert run("sweep_offers", entry.offer_expires_at - MINUTE) == 0
    assert run("sweep_offers", entry.offer_expires_at) == 1

    assert states(entry.event) == ["lapsed", "offered"]
    second.refresh_from_db()
    assert second.offer_expires_at == NOW + timedelta(days=2)


def test_an_offer_that_is_overdue_by_the_clock_can_be_booked_by_anybody_if_nobody_waits() -> None:
    entry = an_offer()

    booking = a_booking(event=entry.event, now=NOW + timedelta(days=1))

    assert booking.status == "confirmed"
    assert states(entry.event) == ["lapsed"]


def test_an_offer_lasts_no_longer_than_registration_or_the_sale() -> None:
    ending = NOW + 2 * HOUR
    by_event = an_offer(registration_deadline=ending)
    by_type = an_offer(ticket_types=[{"name": "Standard", "sales_end_at": ending - HOUR}])

    assert (by_event.offer_expires_at, by_type.offer_expires_at) == (ending, ending - HOUR)


def test_an_offer_ends_with_a_registration_that_is_brought_forward() -> None:
    entry = an_offer()

    edit(entry.event, registration_deadline=NOW + HOUR)

    entry.refresh_from_db()
    assert entry.offer_expires_at == NOW + HOUR


def test_seats_are_offered_in_the_order_of_joining() -> None:
    event = a_full_event(capacity=3)
    for _ in range(5):
        a_place(event)

    for expected in (
        ["offered", "waiting", "waiting", "waiting", "waiting"],
        ["offered", "offered", "waiting", "waiting", "waiting"],
        ["offered", "offered", "offered", "waiting", "waiting"],
    ):
        a_free_seat(event)
        assert states(event) == expected


def test_across_types_the_longest_wait_is_served_first() -> None:
    event = an_event(capacity=1, ticket_types=[{"name": "A"}, {"name": "B"}])
    a_booking(event=event)
    b = TicketType.objects.get(event=event, name="B")
    a_place(event, ticket_type=b.pk)
    a_place(event)

    a_free_seat(event)

    assert states(event) == ["offered", "waiting"]


def test_a_party_too_large_waits_with_everybody_behind_it() -> None:
    event = a_full_event(capacity=3)
    large, _small = a_place(event, seats=2), a_place(event)

    a_free_seat(event)

    assert states(event) == ["waiting", "waiting"]
    large.refresh_from_db()
    assert (large.blocked_since, large.passed_over_at) == (NOW, None)

    a_free_seat(event)

    assert states(event) == ["offered", "waiting"]
    large.refresh_from_db()
    assert large.blocked_since is None


def test_it_is_passed_over_after_a_while_and_says_so() -> None:
    event = a_full_event(capacity=3)
    large, medium, small = a_place(event, seats=3), a_place(event, seats=2), a_place(event)
    a_free_seat(event)

    run("sweep_waitlists", NOW + HOUR - MINUTE)
    assert states(event) == ["waiting", "waiting", "waiting"]
    run("sweep_waitlists", NOW + HOUR)

    assert states(event) == ["waiting", "waiting", "offered"]
    for entry in (large, medium, small):
        entry.refresh_from_db()
    assert (large.passed_over_at, medium.passed_over_at, small.passed_over_at) == (NOW + HOUR, NOW + HOUR, None)
    assert a_client_of(large.user).get(f"/api/waitlist/{large.pk}/").json()["passed_over_at"] == "2027-03-01T13:00:00Z"


def test_being_passed_over_begins_a_new_wait() -> None:
    event = a_full_event(capacity=4)
    a_place(event, seats=3)
    for _ in range(3):
        a_place(event)
    a_free_seat(event)
    a_free_seat(event)
    run("sweep_waitlists", NOW + HOUR)
    # All the seats that lay idle went to those whom they fit.
    assert states(event) == ["waiting", "offered", "offered", "waiting"]

    a_free_seat(event, now=NOW + HOUR)
    run("sweep_waitlists", NOW + 2 * HOUR - MINUTE)
    assert states(event) == ["waiting", "offered", "offered", "waiting"]
    run("sweep_waitlists", NOW + 2 * HOUR)

    assert states(event) == ["waiting", "offered", "offered", "offered"]


def test_the_hour_is_for_all_the_seats_though_one_transaction_offers_fewer() -> None:
    """Three parties that are too large, and more seats behind them than are offered at once."""
    event = an_event(ticket_types=[{"name": name, "quantity": 10, "max_per_booking": 10} for name in "ABC"])
    kinds = [*TicketType.objects.filter(event=event).order_by("pk")]
    large = []
    for kind in kinds:
        for seats in (9, 1):
            request = BookingRequest(event_id=event.pk, tickets=[TicketRequest(kind.pk, seats)])
            large.append(book_seats(user=a_user(), request=request, now=NOW))
        a_place(event, seats=10, ticket_type=kind.pk)
        for _ in range(9):
            a_place(event, ticket_type=kind.pk)
    for booking in large[::2]:
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)
    assert set(states(event)) == {"waiting"}

    run("sweep_waitlists", NOW + HOUR)

    assert states(event) == (["waiting"] + ["offered"] * 9) * 3
    assert set(Waitlist.objects.filter(event=event).values_list("blocked_since", flat=True)) == {None}


def test_a_party_that_no_seats_will_ever_do_for_holds_up_nobody() -> None:
    """An edit took seats away after it had joined; it keeps its place, in case they come back."""
    event = a_full_event(capacity=4)
    huge, small, other = a_place(event, seats=4), a_place(event), a_place(event)
    a_free_seat(event), a_free_seat(event)
    assert states(event) == ["waiting", "waiting", "waiting"]

    edit(event, capacity=3)

    assert states(event) == ["waiting", "offered", "waiting"]
    for entry in (huge, small, other):
        entry.refresh_from_db()
    assert (huge.passed_over_at, small.passed_over_at, other.passed_over_at) == (NOW, None, None)
    assert huge.blocked_since is None

    edit(event, capacity=6)

    assert states(event) == ["waiting", "offered", "waiting"]  # they are its turn again
    huge.refresh_from_db()
    assert huge.blocked_since == NOW


def test_events_whose_seats_fit_nobody_starve_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run of the sweep finds them, and one run takes so many events and no more."""
    monkeypatch.setattr(periodic, "BATCH", 2)
    for _ in range(3):
        stuck = a_full_event(capacity=2)
        a_place(stuck, seats=2)
        a_free_seat(stuck)
    ends = a_full_event(registration_deadline=NOW + HOUR)
    a_place(ends)

    run("sweep_waitlists", NOW + HOUR)

    assert states(ends) == ["closed"]


def test_the_setting_says_how_long(settings: Any) -> None:
    settings.WAITLIST_SKIP_AFTER_MINUTES = 0
    event = a_full_event(capacity=2)
    a_place(event, seats=2), a_place(event)

    a_free_seat(event)
    run("sweep_waitlists")

    assert states(event) == ["waiting", "offered"]


def test_one_types_blocked_party_holds_up_no_other_type() -> None:
    event = an_event(capacity=2, ticket_types=[{"name": "A"}, {"name": "B"}])
    a_booking(event=event), a_booking(event=event)
    b = TicketType.objects.get(event=event, name="B")
    a_place(event, seats=2), a_place(event, ticket_type=b.pk)

    a_free_seat(event)

    assert states(event) == ["waiting", "offered"]


def test_nothing_is_offered_of_a_type_that_is_not_on_sale() -> None:
    event = a_full_event()
    a_place(event)
    kind = TicketType.objects.get(event=event)
    update_ticket_type(ticket_type_id=kind.pk, changes={"sales_end_at": NOW}, actor=event.organizer, now=NOW)

    a_free_seat(event)
    assert states(event) == ["waiting"]

    changes = {"sales_end_at": NOW + HOUR}
    update_ticket_type(ticket_type_id=kind.pk, changes=changes, actor=event.organizer, now=NOW)
    assert states(event) == ["offered"]


def test_nothing_is_offered_after_registration_has_closed() -> None:
    """RELIABILITY B6"""
    event = a_full_event(registration_deadline=START - HOUR)
    a_place(event)
    booking = Booking.objects.get(event=event)

    cancel_booking(booking_id=booking.pk, actor=booking.user, now=START - HOUR)
    run("sweep_waitlists", START - HOUR)

    assert states(event) == ["closed"]
    assert Event.objects.get(pk=event.pk).seats_taken == 0


def test_whoever_cannot_sign_in_any_more_is_passed_by_for_good() -> None:
    event = a_full_event()
    gone, _next = a_place(event), a_place(event)
    set_active(user_id=gone.user_id, is_active=False, actor=an_admin(), now=NOW)

    a_free_seat(event)

    assert states(event) == ["closed", "offered"]


def test_seats_offered_to_whoever_cannot_sign_in_any_more_go_to_the_next() -> None:
    entry = an_offer()
    a_place(entry.event)
    set_active(user_id=entry.user_id, is_active=False, actor=an_admin(), now=NOW)

    run("sweep_waitlists")

    assert states(entry.event) == ["closed", "offered"]


def test_whoever_has_booked_meanwhile_is_offered_nothing() -> None:
    """The place of a booking in the same moment from another tab: nobody saw it in time."""
    event = a_full_event(capacity=2)
    entry = a_place(event)
    Booking.objects.filter(event=event).order_by("pk").update(status_changed_at=NOW)
    booked = Booking.objects.filter(event=event).order_by("-pk")[0]
    Waitlist.objects.filter(pk=entry.pk).update(user=booked.user)
    a_place(event)

    a_free_seat(event)

    assert states(event) == ["closed", "offered"]


def test_a_sweep_clears_places_of_those_who_have_booked() -> None:
    event = a_full_event()
    entry = a_place(event)
    Waitlist.objects.filter(pk=entry.pk).update(user=Booking.objects.get(event=event).user)

    run("sweep_waitlists")

    assert states(event) == ["closed"]
    assert TicketType.objects.get(event=event).waiting_count == 0


def test_more_seats_than_one_transaction_offers_are_all_offered() -> None:
    event = a_full_event()
    for _ in range(45):
        a_place(event)

    edit(event, capacity=42)
    assert states(event).count("offered") == 20
    run("sweep_waitlists")

    assert states(event) == ["offered"] * 41 + ["waiting"] * 4


def test_an_edit_to_no_limit_at_all_serves_everybody() -> None:
    event = a_full_event()
    a_place(event), a_place(event)

    edit(event, capacity=None)

    assert states(event) == ["offered", "offered"]


def test_a_sweep_finds_what_time_has_opened() -> None:
    event = a_full_event()
    a_place(event)
    kind = TicketType.objects.get(event=event)
    window = {"sales_start_at": NOW + HOUR}
    update_ticket_type(ticket_type_id=kind.pk, changes=window, actor=event.organizer, now=NOW)
    a_free_seat(event)

    run("sweep_waitlists", NOW + HOUR - MINUTE)
    assert states(event) == ["waiting"]
    run("sweep_waitlists", NOW + HOUR)

    assert states(event) == ["offered"]


def test_a_cancellation_asks_one_statement_more_when_nobody_waits() -> None:
    booking = a_booking()

    with CaptureQueriesContext(connection) as queries:
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    about = [query["sql"] for query in queries if "waitlist" in query["sql"] or "waiting_count" in query["sql"]]
    assert len(about) == 1


# --- The organizer's "offer next" ---


def offers_next(user: CustomUser, event: Event, **body: Any) -> Any:
    return a_client_of(user).post(f"/api/events/{event.pk}/offer_next/", body, format="json")


def test_offer_next_serves_the_next_that_fits_without_waiting_for_a_larger_party() -> None:
    event = a_full_event(capacity=3)
    large, small, _other = a_place(event, seats=3), a_place(event), a_place(event)
    a_free_seat(event), a_free_seat(event)

    answer = offers_next(event.organizer, event)

    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, small.pk, "offered")
    assert states(event) == ["waiting", "offered", "waiting"]
    large.refresh_from_db()
    assert large.passed_over_at == NOW


def test_offer_next_leaves_the_other_seats_their_hour() -> None:
    """One is served at once; it is no new beginning for those that still lie idle, but for those freed later it is."""
    event = a_full_event(capacity=4)
    large, *_small = a_place(event, seats=3), a_place(event), a_place(event), a_place(event)
    a_free_seat(event), a_free_seat(event)
    later = NOW + 30 * MINUTE

    offer_next(event_id=event.pk, actor=event.organizer, now=later)

    large.refresh_from_db()
    assert (large.passed_over_at, large.blocked_since) == (later, NOW)

    offer_next(event_id=event.pk, actor=event.organizer, now=later)

    large.refresh_from_db()
    assert (large.passed_over_at, large.blocked_since) == (later, None)
    assert states(event) == ["waiting", "offered", "offered", "waiting"]


def test_offer_next_is_refused_when_nobody_waits() -> None:
    event = a_full_event(capacity=2)

    answer = offers_next(event.organizer, event)

    assert (answer.status_code, answer.json()["code"]) == (409, "nobody_waiting")


def test_offer_next_is_refused_when_no_seat_is_left() -> None:
    event = a_full_event()
    a_place(event)

    answer = offers_next(event.organizer, event)

    assert (answer.status_code, answer.json()["code"]) == (409, "sold_out")
    assert states(event) == ["waiting"]


def test_offer_next_is_for_the_type_that_is_named() -> None:
    event = an_event(capacity=3, ticket_types=[{"name": "A"}, {"name": "B"}])
    for _ in range(3):
        a_booking(event=event)
    b = TicketType.objects.get(event=event, name="B")
    a_place(event, seats=2), a_place(event, seats=2, ticket_type=b.pk), a_place(event, ticket_type=b.pk)
    a_free_seat(event)

    with pytest.raises(SoldOut):
        offer_next(event_id=event.pk, ticket_type=event.ticket_types.get(name="A").pk, actor=event.organizer, now=NOW)
    answer = offers_next(event.organizer, event, ticket_type=b.pk)

    assert answer.status_code == 200
    assert states(event) == ["waiting", "waiting", "offered"]


def test_offer_next_knows_only_the_events_own_types() -> None:
    event = a_full_event()
    a_place(event)
    foreign = TicketType.objects.get(event=an_event())

    answer = offers_next(event.organizer, event, ticket_type=foreign.pk)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "does_not_exist")


def test_offer_next_is_for_those_who_run_the_event() -> None:
    event = a_full_event()
    a_place(event)

    assert offers_next(a_user(), event).status_code == 403
    assert offers_next(an_organizer(), event).json()["code"] == "not_owner"
    with pytest.raises(NotOwner):
        offer_next(event_id=event.pk, actor=a_user(), now=NOW)
    assert states(event) == ["waiting"]


def test_offer_next_ends_with_registration() -> None:
    event = a_full_event()
    a_place(event)

    with pytest.raises(RegistrationClosed):
        offer_next(event_id=event.pk, actor=event.organizer, now=START)
    with pytest.raises(NobodyWaiting):
        offer_next(event_id=an_event().pk, actor=an_admin(), now=NOW)


def test_declining_needs_an_offer() -> None:
    event = a_full_event()
    entry = a_place(event)

    answer = a_client_of(entry.user).post(f"/api/waitlist/{entry.pk}/decline/")

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert states(event) == ["waiting"]


def test_an_organizer_declines_for_nobody_but_can_remove_somebody() -> None:
    entry = an_offer()
    a_place(entry.event)
    client = a_client_of(entry.event.organizer)

    assert client.post(f"/api/waitlist/{entry.pk}/decline/").json()["code"] == "not_your_place"
    assert states(entry.event) == ["offered", "waiting"]

    removed = client.post(f"/api/waitlist/{entry.pk}/leave/")

    assert removed.json()["status"] == "closed"
    assert states(entry.event) == ["closed", "offered"]
