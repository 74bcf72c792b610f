"""What is planted among bookings, tickets and queues."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import F

from bookings.models import Booking, Scan, Ticket, Waitlist
from bookings.services import accept_offer
from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.planted.planting import Steps, change, lift, planted
from eventhub_config.tests.planted.sound import let_in, moment_before
from eventhub_config.tests.world import World
from events.tests.factories import an_event


@planted("seat_counters", "event_counter")
def seats_that_nobody_has(world: World) -> Steps:
    yield
    change(world.objects["event"], seats_taken=F("seats_taken") + 1)


@planted("seat_counters", "type_counter")
def a_seat_given_back_twice(world: World) -> Steps:
    yield
    change(world.objects["ticket_type"], seats_taken=F("seats_taken") - 1)


@planted("seat_counters", "event_counter", "type_counter", "oversold_event")
def an_offer_that_holds_more_than_was_counted(world: World) -> Steps:
    yield
    change(world.objects["offer"], seats=F("seats") + 1)


@planted("booking_tickets", "seats_of_booking")
def a_booking_with_a_seat_too_many(world: World) -> Steps:
    yield
    change(world.objects["booking"], seats=2)


@planted("booking_tickets", "tickets_of_cancelled")
def a_ticket_that_outlived_its_booking(world: World) -> Steps:
    yield
    ticket = Ticket.objects.get(booking=world.objects["cancelled_booking"])
    change(ticket, status="valid")
    StatusChange.objects.filter(subject_type="bookings.ticket", subject_id=ticket.pk).delete()


@planted("ticket_event")
def a_ticket_for_another_event(world: World) -> Steps:
    yield
    change(world.objects["ticket"], event=world.objects["free_event"])


@planted("one_active_booking", "booked_twice")
def somebody_who_booked_twice(world: World) -> Steps:
    one, other = (a_booking(event=world.objects["free_event"], now=world.now) for _ in range(2))
    yield
    lift(Booking, "bookings_one_active_per_event")
    change(other, user=one.user)


@planted("booking_amounts")
def a_booking_that_costs_more_than_its_tickets(world: World) -> Steps:
    yield
    change(world.objects["booking"], total_amount=F("total_amount") + 1)


@planted("booking_amounts")
def a_pending_booking_of_which_a_part_is_due(world: World) -> Steps:
    yield
    change(world.objects["unpaid_booking"], amount_due=Decimal(1))


@planted("booking_moments")
def a_cancellation_at_no_time(world: World) -> Steps:
    yield
    change(world.objects["cancelled_booking"], cancelled_at=None)


@planted("booking_moments")
def a_place_that_waits_and_was_offered(world: World) -> Steps:
    yield
    change(world.objects["place"], offered_at=world.now)


@planted("bookings_move_on")
def a_hold_that_outlived_its_time(world: World) -> Steps:
    yield
    change(world.objects["unpaid_booking"], expires_at=moment_before(world, minutes=6))


@planted("bookings_move_on")
def a_booking_that_outlived_its_event(world: World) -> Steps:
    """Cancelled as services would, but for the closing of its bookings."""
    booking = a_booking(event=an_event(now=world.now), now=world.now)
    yield
    change(booking.event, status="cancelled", status_changed_at=moment_before(world, minutes=6))
    StatusChange.objects.create(
        subject_type="events.event",
        subject_id=booking.event_id,
        from_status="published",
        to_status="cancelled",
        actor="system:test",
        at=world.now,
    )


@planted("bookings_move_on")
def news_of_a_move_that_nobody_told(world: World) -> Steps:
    yield
    change(world.objects["booking"], move_notice_owed_since=moment_before(world, minutes=6))


@planted("waiting_counts")
def one_more_who_waits(world: World) -> Steps:
    yield
    change(world.objects["place"].ticket_type, waiting_count=F("waiting_count") + 1)


@planted("waitlist_event")
def a_place_for_another_event(world: World) -> Steps:
    yield
    change(world.objects["place"], event=world.objects["free_event"])


@planted("waitlist_bookings")
def an_offer_accepted_by_somebody_else(world: World) -> Steps:
    entry = world.objects["offer"]
    accept_offer(entry_id=entry.pk, actor=entry.user, now=world.now)
    yield
    change(entry, user=world.people["stranger"])


@planted("waitlist_moves_on")
def an_offer_that_outlived_its_time(world: World) -> Steps:
    yield
    change(world.objects["offer"], offer_expires_at=moment_before(world, minutes=6))


@planted("waitlist_served")
def a_seat_that_lies_idle(world: World) -> Steps:
    """There is room for the whole party in front, and has been for some minutes."""
    yield
    long_ago = moment_before(world, minutes=6)
    Waitlist.objects.filter(event=world.objects["full_event"]).update(status_changed_at=long_ago)
    change(world.objects["full_event"], capacity=9, updated_at=long_ago, status_changed_at=long_ago)


@planted("waiver_reason")
def a_gift_without_a_reason(world: World) -> Steps:
    booking = a_booking(event=world.objects["free_event"], now=world.now)
    yield
    change(booking, invited_as="Kim")


@planted("free_is_confirmed")
def a_free_booking_that_is_pending(world: World) -> Steps:
    booking = a_booking(event=world.objects["free_event"], now=world.now)
    yield
    change(booking, status="pending", confirmed_at=None, expires_at=world.now + timedelta(hours=1))
    StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk).update(to_status="pending")


@planted("check_ins")
def somebody_who_came_at_no_time(world: World) -> Steps:
    ticket = let_in(world)
    yield
    change(ticket, checked_in_at=None)


@planted("no_shows")
def somebody_who_came_and_did_not(world: World) -> Steps:
    ticket = let_in(world)
    yield
    change(ticket.booking, status="no_show")
    StatusChange.objects.create(
        subject_type="bookings.booking",
        subject_id=ticket.booking_id,
        from_status="confirmed",
        to_status="no_show",
        actor="system:test",
        at=world.now,
    )


@planted("scans")
def a_scan_at_another_door(world: World) -> Steps:
    let_in(world)
    yield
    Scan.objects.update(event=world.objects["event"])
