"""What must be true of bookings and the seats they hold."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from bookings.models import Booking, Scan, Ticket, Waitlist
from bookings.services.waitlist import moot
from eventhub_config.shared.integrity import SWEPT_WITHIN, Check, added_up, moment, wrong
from events.availability import why_closed, why_not_on_sale
from events.models import Event, TicketType


def counters_equal_the_rows() -> Iterator[tuple[str, str]]:
    holding = Ticket.objects.exclude(status=Ticket.Status.CANCELLED).filter(booking__status__in=Booking.ACTIVE)
    events = Event.objects.annotate(
        sold=_number(holding, "booking__event", Count("pk")), held=_number(_offered(), "event", Sum("seats"))
    ).annotate(rows=F("sold") + F("held"))
    for event in wrong(events, ~Q(seats_taken=F("rows"))):
        yield f"event {event}", f"counts {event.seats_taken} seats taken; its tickets and offers are {event.rows}"
    kinds = TicketType.objects.annotate(
        sold=_number(holding, "ticket_type", Count("pk")), held=_number(_offered(), "ticket_type", Sum("seats"))
    ).annotate(rows=F("sold") + F("held"))
    for kind in wrong(kinds, ~Q(seats_taken=F("rows"))):
        yield f"ticket type {kind}", f"counts {kind.seats_taken} taken; its tickets and offers are {kind.rows}"


def _number(rows: QuerySet[Any], group: str, what: Any) -> Coalesce:
    """Return an aggregate over the rows whose ``group`` is the row it stands beside; 0 if there are none."""
    grouped = rows.filter(**{group: OuterRef("pk")}).order_by().values(group).annotate(number=what)
    return Coalesce(Subquery(grouped.values("number"), output_field=IntegerField()), 0)


def _offered() -> QuerySet[Waitlist]:
    return Waitlist.objects.filter(status=Waitlist.Status.OFFERED)


def seats_equal_the_tickets() -> Iterator[tuple[str, str]]:
    standing = ~Q(tickets__status=Ticket.Status.CANCELLED)
    counted = Booking.objects.annotate(made=Count("tickets"), left=Count("tickets", filter=standing))
    for booking in wrong(counted, ~Q(made=F("seats"))):
        yield f"booking {booking}", f"has {booking.seats} seats and {booking.made} tickets"
    for booking in wrong(counted, Q(status=Booking.Status.CANCELLED, left__gt=0)):
        yield f"booking {booking}", f"is cancelled; {booking.left} of its tickets are not"
    # Of expired ones too: late money may confirm them yet.
    for booking in wrong(counted, ~Q(status=Booking.Status.CANCELLED) & ~Q(left=F("made"))):
        yield f"booking {booking}", f"is {booking.status}; only {booking.left} of its tickets stand"


def tickets_are_for_their_bookings_event() -> Iterator[tuple[str, str]]:
    strays = Ticket.objects.exclude(event_id=F("booking__event_id"), ticket_type__event_id=F("event_id"))
    for ticket in wrong(strays.select_related("booking", "ticket_type")):
        events = f"{ticket.event_id}, its booking {ticket.booking.event_id}, its type {ticket.ticket_type.event_id}"
        yield f"ticket {ticket}", f"is for event {events}"


def one_active_booking_each() -> Iterator[tuple[str, str]]:
    doubled = (
        Booking.objects.active().order_by().values("user", "event").annotate(times=Count("pk")).filter(times__gt=1)
    )
    for row in doubled:
        yield f"user {row['user']}, event {row['event']}", f"has {row['times']} active bookings"


def free_bookings_owe_nothing() -> Iterator[tuple[str, str]]:
    for booking in wrong(Booking.objects.all(), Q(total_amount=0, status=Booking.Status.PENDING)):
        yield f"booking {booking}", "is free and still pending"


def prices_are_those_of_the_tickets() -> Iterator[tuple[str, str]]:
    """Compare what a booking costs with its tickets, and what is due with its state."""
    prices = Ticket.objects.filter(booking=OuterRef("pk")).order_by().values("booking").annotate(sum=Sum("price"))
    priced = Booking.objects.annotate(sum=added_up(Coalesce(Subquery(prices.values("sum")), Value(Decimal(0)))))
    for booking in wrong(priced, ~Q(total_amount=F("sum"))):
        yield f"booking {booking}", f"costs {booking.total_amount}; its tickets cost {booking.sum}"
    for booking in wrong(Booking.objects.select_related("event"), ~Q(currency=F("event__currency"))):
        yield f"booking {booking}", f"is in {booking.currency}, its event in {booking.event.currency}"
    for booking in wrong(Booking.objects.all(), Q(status=Booking.Status.PENDING) & ~Q(amount_due=F("total_amount"))):
        yield f"booking {booking}", f"is pending and costs {booking.total_amount}, but {booking.amount_due} is due"
    for booking in wrong(Booking.objects.all(), Q(status=Booking.Status.EXPIRED, amount_due__gt=0)):
        yield f"booking {booking}", f"has expired, and {booking.amount_due} is due for it"


def moments_follow_the_state() -> Iterator[tuple[str, str]]:
    """Compare each state with the moments that say when it came about."""
    cancelled, confirmed = Q(status=Booking.Status.CANCELLED), Q(confirmed_at__isnull=False)
    torn = cancelled & Q(cancelled_at=None) | ~cancelled & Q(cancelled_at__isnull=False)
    torn |= Q(status__in=[Booking.Status.PENDING, Booking.Status.EXPIRED]) & confirmed
    torn |= Q(status__in=[Booking.Status.CONFIRMED, Booking.Status.NO_SHOW]) & ~confirmed
    for booking in wrong(Booking.objects.all(), torn):
        moments = f"confirmed at {booking.confirmed_at}, cancelled at {booking.cancelled_at}"
        yield f"booking {booking}", f"is {booking.status}, and says: {moments}"
    status, offered = Waitlist.Status, Q(offered_at__isnull=False, offer_expires_at__isnull=False)
    torn = Q(status__in=[status.OFFERED, status.ACCEPTED, status.DECLINED, status.LAPSED]) & ~offered
    torn |= Q(status=status.WAITING) & (Q(offered_at__isnull=False) | Q(offer_expires_at__isnull=False))
    for entry in wrong(Waitlist.objects.all(), torn):
        until = f"offered at {entry.offered_at} until {entry.offer_expires_at}"
        yield f"waitlist entry {entry}", f"is {entry.status}, and says: {until}"


def time_runs_out() -> Iterator[tuple[str, str]]:
    """Look for what the sweeps of bookings should have done some minutes ago."""
    before = moment() - SWEPT_WITHIN
    for booking in wrong(Booking.objects.all(), Q(status=Booking.Status.PENDING, expires_at__lt=before)):
        yield f"booking {booking}", f"still holds its seats; its time was over at {booking.expires_at}"
    open_ones = Q(status__in=[Booking.Status.PENDING, Booking.Status.CONFIRMED])
    called_off = Q(event__status=Event.Status.CANCELLED, event__status_changed_at__lt=before)
    for booking in wrong(Booking.objects.all(), open_ones & called_off):
        yield f"booking {booking}", f"is {booking.status}; its event was cancelled"
    for booking in wrong(Booking.objects.all(), Q(move_notice_owed_since__lt=before)):
        yield f"booking {booking}", f"was not told of the move of {booking.move_notice_owed_since}"


def waiting_counts_equal_the_rows() -> Iterator[tuple[str, str]]:
    waiting = Waitlist.objects.filter(status=Waitlist.Status.WAITING)
    kinds = TicketType.objects.annotate(parties=_number(waiting, "ticket_type", Count("pk")))
    for kind in wrong(kinds, ~Q(waiting_count=F("parties"))):
        yield f"ticket type {kind}", f"counts {kind.waiting_count} who wait; there are {kind.parties}"


def places_are_for_their_types_event() -> Iterator[tuple[str, str]]:
    strays = Waitlist.objects.exclude(ticket_type__event_id=F("event_id")).select_related("ticket_type")
    for entry in wrong(strays):
        yield f"waitlist entry {entry}", f"is for event {entry.event_id}, its type for {entry.ticket_type.event_id}"


def accepted_places_have_their_booking() -> Iterator[tuple[str, str]]:
    accepted = Waitlist.objects.filter(status=Waitlist.Status.ACCEPTED).select_related("booking")
    for entry in wrong(accepted, Q(booking=None)):
        yield f"waitlist entry {entry}", "was accepted and names no booking"
    same = Q(booking__user=F("user"), booking__event=F("event"), booking__seats=F("seats"))
    for entry in wrong(accepted.filter(booking__isnull=False), ~same):
        yield f"waitlist entry {entry}", f"was accepted; booking {entry.booking} is not what was offered"
    for entry in wrong(Waitlist.objects.exclude(status=Waitlist.Status.ACCEPTED), Q(booking__isnull=False)):
        yield f"waitlist entry {entry}", f"is {entry.status} and names a booking"


def the_queue_moves_on() -> Iterator[tuple[str, str]]:
    """Look for what the sweeps should have done: places whose time was over some minutes ago."""
    before = moment() - SWEPT_WITHIN
    over = ~Q(event__status=Event.Status.PUBLISHED) & Q(event__status_changed_at__lt=before)
    late = Q(event__registration_deadline__lt=before) | Q(event__starts_at__lt=before)
    late &= Q(event__updated_at__lt=before)  # else an edit may have closed it a moment ago
    for entry in wrong(Waitlist.objects.active().filter(over | late)):
        yield f"waitlist entry {entry}", f"is {entry.status}; its event is not open"
    for entry in wrong(_offered().filter(offer_expires_at__lt=before)):
        yield f"waitlist entry {entry}", f"is still offered; its time was over at {entry.offer_expires_at}"
    for entry in wrong(moot(Waitlist.objects.active().filter(status_changed_at__lt=before))):
        yield f"waitlist entry {entry}", "is of somebody who has a booking"


def seats_are_offered_to_who_waits() -> Iterator[tuple[str, str]]:
    """Look for seats that lie idle although whoever is first in the queue fits, and has for some minutes."""
    now = moment()
    before = now - SWEPT_WITHIN
    queued = TicketType.objects.filter(waiting_count__gt=0, event__status=Event.Status.PUBLISHED)
    settled = queued.filter(event__updated_at__lt=before, event__status_changed_at__lt=before)
    for kind in wrong(settled.select_related("event")):
        # Closed or paused at either moment: the sweeps may not have been there yet.
        if any(why_closed(kind.event, at) or why_not_on_sale(kind, at) for at in (before, now)):
            continue
        counts = [count for count in (kind.seats_left, kind.event.seats_left) if count is not None]
        room = min(counts, default=settings.MAX_SEATS_PER_BOOKING)
        able = Waitlist.objects.in_queue().filter(ticket_type=kind, user__is_active=True)
        first = able.filter(Q(status_changed_at__lt=before)).first()
        if first and first.seats <= room:
            yield f"ticket type {kind}", f"has {room} seats left; waitlist entry {first} waits for {first.seats}"


def who_is_in_came_at_some_time() -> Iterator[tuple[str, str]]:
    # A cancelled one may have been in before.
    torn = Q(status=Ticket.Status.CHECKED_IN, checked_in_at__isnull=True)
    torn |= Q(status=Ticket.Status.VALID) & (Q(checked_in_at__isnull=False) | Q(checked_in_by__isnull=False))
    for ticket in wrong(Ticket.objects.filter(torn)):
        yield f"ticket {ticket}", f"is {ticket.status}; it says to be checked in at {ticket.checked_in_at}"


def nobody_came_of_no_shows() -> Iterator[tuple[str, str]]:
    absent_or_unpaid = [Booking.Status.NO_SHOW, Booking.Status.PENDING, Booking.Status.EXPIRED]
    present = Ticket.objects.filter(status=Ticket.Status.CHECKED_IN, booking__status__in=absent_or_unpaid)
    for ticket in wrong(present.select_related("booking")):
        yield f"ticket {ticket}", f"is checked in; its booking {ticket.booking} is {ticket.booking.status}"


def scans_are_of_their_event() -> Iterator[tuple[str, str]]:
    strays = Scan.objects.filter(ticket__isnull=False).exclude(ticket__booking__event_id=F("event_id"))
    for scan in wrong(strays.select_related("ticket__booking")):
        yield f"scan {scan}", f"is of event {scan.event_id} and let in with ticket {scan.ticket}"
    for scan in wrong(Scan.objects.filter(ticket__isnull=True, outcome="checked_in")):
        yield f"scan {scan}", "let somebody in without a ticket"


def what_was_waived_says_why() -> Iterator[tuple[str, str]]:
    stands = Booking.objects.filter(status__in=[Booking.Status.CONFIRMED, Booking.Status.NO_SHOW], waiver_reason="")
    for booking in wrong(stands.filter(amount_due=0, total_amount__gt=0)):
        yield f"booking {booking}", "has a price, nothing is due for it, and no reason is given"
    for booking in wrong(Booking.objects.exclude(invited_as="").filter(waiver_reason="")):
        yield f"booking {booking}", "is complimentary, and no reason is given"
    for booking in wrong(Booking.objects.exclude(invited_as="").filter(total_amount__gt=0)):
        yield f"booking {booking}", f"is complimentary, and costs {booking.total_amount}"


CHECKS = [
    Check(
        "seat_counters",
        "The counters of events and ticket types equal their rows.",
        counters_equal_the_rows,
        "Seats are oversold or lie idle. Find what wrote the counter past the services, then set it to the rows.",
    ),
    Check(
        "booking_tickets",
        "A booking's seats are its tickets.",
        seats_equal_the_tickets,
        "Compare the booking's history with its tickets'; cancel what its holder has no right to.",
    ),
    Check(
        "ticket_event",
        "A ticket is for its booking's event.",
        tickets_are_for_their_bookings_event,
        "The door would let somebody in, or nobody. Set the ticket's event to its booking's.",
    ),
    Check(
        "one_active_booking",
        "One active booking per user and event.",
        one_active_booking_each,
        "Ask the person which of them they want, and cancel the other.",
    ),
    Check(
        "booking_amounts",
        "A booking costs what its tickets cost, and owes what its state says.",
        prices_are_those_of_the_tickets,
        "Compare with the invoice and the payments before you correct the amount that is wrong.",
    ),
    Check(
        "booking_moments",
        "States and the moments of bookings and places in queues agree.",
        moments_follow_the_state,
        "The history of the row says when it moved.",
    ),
    Check(
        "bookings_move_on",
        "Holds end with their time, and bookings with their events; whoever is owed the news gets it.",
        time_runs_out,
        "See whether worker and beat are running (/readyz); sweep_expired_holds, sweep_cancelled_events and"
        " sweep_moved_bookings do this.",
    ),
    Check(
        "waiting_counts",
        "Ticket types count those who wait for them.",
        waiting_counts_equal_the_rows,
        "While it is too high nobody can book, too low and people book past the queue. Set it to the rows.",
    ),
    Check(
        "waitlist_event",
        "A place in a queue is for its type's event.",
        places_are_for_their_types_event,
        "Close the place, and tell whoever has it.",
    ),
    Check(
        "waitlist_bookings",
        "An accepted offer is a booking of the same seats.",
        accepted_places_have_their_booking,
        "Compare the histories of the place and of the booking.",
    ),
    Check(
        "waitlist_moves_on",
        "Queues end with their events, and offers with their time.",
        the_queue_moves_on,
        "See whether worker and beat are running (/readyz); sweep_offers and sweep_waitlists do this.",
    ),
    Check(
        "waitlist_served",
        "No seat lies idle while whoever is first fits.",
        seats_are_offered_to_who_waits,
        "Run sweep_waitlists by hand (manage.py run_job), and see what its log says of this event.",
    ),
    Check(
        "waiver_reason",
        "What is free of charge says why.",
        what_was_waived_says_why,
        "Ask whoever the history names, and write the reason down.",
    ),
    Check(
        "free_is_confirmed",
        "Free bookings are confirmed at once.",
        free_bookings_owe_nothing,
        "Confirm it, with a reason, before its hold runs out.",
    ),
    Check(
        "check_ins",
        "Who is checked in was let in at some time, nobody else.",
        who_is_in_came_at_some_time,
        "The ticket's history says whether somebody came.",
    ),
    Check(
        "no_shows",
        "Nobody is checked in on a booking that nobody came of, or that is not paid.",
        nobody_came_of_no_shows,
        "Ask the organizer which of both is true, then undo the other.",
    ),
    Check(
        "scans",
        "A scan let in with a ticket for its event.",
        scans_are_of_their_event,
        "Ask the organizer who was let in with that scan.",
    ),
]
