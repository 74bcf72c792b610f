"""What must be true of bookings and the seats they hold."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from bookings.models import Booking, Scan, Ticket, Waitlist
from bookings.services.waitlist import moot
from eventhub_config.shared.integrity import Check
from events.availability import why_closed, why_not_on_sale
from events.models import Event, TicketType

# Five times as often as the sweeps run.
SWEPT_WITHIN = timedelta(minutes=5)


def counters_equal_the_rows() -> Iterator[tuple[str, str]]:
    holding = Ticket.objects.exclude(status=Ticket.Status.CANCELLED).filter(booking__status__in=Booking.ACTIVE)
    by_event = Counter(dict(holding.order_by().values_list("booking__event").annotate(seats=Count("pk"))))
    by_type = Counter(dict(holding.order_by().values_list("ticket_type").annotate(seats=Count("pk"))))
    for event_id, type_id, seats in _offered().values_list("event_id", "ticket_type_id", "seats"):
        by_event[event_id] += seats
        by_type[type_id] += seats
    for event in Event.objects.order_by("pk").only("pk", "title", "seats_taken"):
        if event.seats_taken != by_event[event.pk]:
            yield (
                f"event {event}",
                f"counts {event.seats_taken} seats taken; its tickets and offers are {by_event[event.pk]}",
            )
    for kind in TicketType.objects.order_by("pk").only("pk", "name", "seats_taken"):
        if kind.seats_taken != by_type[kind.pk]:
            counted = f"counts {kind.seats_taken} taken; its tickets and offers are {by_type[kind.pk]}"
            yield f"ticket type {kind}", counted


def _offered() -> QuerySet[Waitlist]:
    return Waitlist.objects.filter(status=Waitlist.Status.OFFERED)


def seats_equal_the_tickets() -> Iterator[tuple[str, str]]:
    counted = Booking.objects.annotate(
        made=Count("tickets"), left=Count("tickets", filter=~Q(tickets__status=Ticket.Status.CANCELLED))
    )
    for booking in counted.order_by("pk"):
        if booking.made != booking.seats:
            yield f"booking {booking}", f"has {booking.seats} seats and {booking.made} tickets"
        if booking.status == Booking.Status.CANCELLED and booking.left:
            yield f"booking {booking}", f"is cancelled; {booking.left} of its tickets are not"
        if booking.is_active and booking.left != booking.seats:
            yield f"booking {booking}", f"is {booking.status}; only {booking.left} of its tickets stand"


def tickets_are_for_their_bookings_event() -> Iterator[tuple[str, str]]:
    strays = Ticket.objects.exclude(event_id=F("booking__event_id"), ticket_type__event_id=F("event_id"))
    for ticket in strays.order_by("pk").select_related("booking", "ticket_type"):
        events = f"{ticket.event_id}, its booking {ticket.booking.event_id}, its type {ticket.ticket_type.event_id}"
        yield f"ticket {ticket}", f"is for event {events}"


def one_active_booking_each() -> Iterator[tuple[str, str]]:
    doubled = (
        Booking.objects.active().order_by().values("user", "event").annotate(times=Count("pk")).filter(times__gt=1)
    )
    for row in doubled:
        yield f"user {row['user']}, event {row['event']}", f"has {row['times']} active bookings"


def free_bookings_owe_nothing() -> Iterator[tuple[str, str]]:
    for booking in Booking.objects.filter(total_amount=0, status=Booking.Status.PENDING).order_by("pk"):
        yield f"booking {booking}", "is free and still pending"


def waiting_counts_equal_the_rows() -> Iterator[tuple[str, str]]:
    waiting = Waitlist.objects.filter(status=Waitlist.Status.WAITING).order_by()
    by_type = Counter(dict(waiting.values_list("ticket_type").annotate(parties=Count("pk"))))
    for kind in TicketType.objects.order_by("pk").only("pk", "name", "waiting_count"):
        if kind.waiting_count != by_type[kind.pk]:
            yield f"ticket type {kind}", f"counts {kind.waiting_count} who wait; there are {by_type[kind.pk]}"


def places_are_for_their_types_event() -> Iterator[tuple[str, str]]:
    strays = Waitlist.objects.exclude(ticket_type__event_id=F("event_id")).select_related("ticket_type")
    for entry in strays.order_by("pk"):
        yield f"waitlist entry {entry}", f"is for event {entry.event_id}, its type for {entry.ticket_type.event_id}"


def accepted_places_have_their_booking() -> Iterator[tuple[str, str]]:
    accepted = Waitlist.objects.filter(status=Waitlist.Status.ACCEPTED).select_related("booking")
    for entry in accepted.order_by("pk"):
        booking = entry.booking
        if booking is None:
            yield f"waitlist entry {entry}", "was accepted and names no booking"
        elif (booking.user_id, booking.event_id, booking.seats) != (entry.user_id, entry.event_id, entry.seats):
            yield f"waitlist entry {entry}", f"was accepted; booking {booking} is not what was offered"
    for entry in Waitlist.objects.exclude(status=Waitlist.Status.ACCEPTED).exclude(booking=None).order_by("pk"):
        yield f"waitlist entry {entry}", f"is {entry.status} and names a booking"


def the_queue_moves_on() -> Iterator[tuple[str, str]]:
    """Look for what the sweeps should have done: places whose time was over some minutes ago."""
    before = timezone.now() - SWEPT_WITHIN
    over = ~Q(event__status=Event.Status.PUBLISHED) & Q(event__status_changed_at__lt=before)
    late = Q(event__registration_deadline__lt=before) | Q(event__starts_at__lt=before)
    late &= Q(event__updated_at__lt=before)  # else an edit may have closed it a moment ago
    for entry in Waitlist.objects.active().filter(over | late).order_by("pk"):
        yield f"waitlist entry {entry}", f"is {entry.status}; its event is not open"
    for entry in _offered().filter(offer_expires_at__lt=before).order_by("pk"):
        yield f"waitlist entry {entry}", f"is still offered; its time was over at {entry.offer_expires_at}"
    for entry in moot(Waitlist.objects.active().filter(status_changed_at__lt=before)).order_by("pk"):
        yield f"waitlist entry {entry}", "is of somebody who has a booking"


def seats_are_offered_to_who_waits() -> Iterator[tuple[str, str]]:
    """Look for seats that lie idle although whoever is first in the queue fits, and has for some minutes."""
    now = timezone.now()
    before = now - SWEPT_WITHIN
    queued = TicketType.objects.filter(waiting_count__gt=0, event__status=Event.Status.PUBLISHED)
    settled = queued.filter(event__updated_at__lt=before, event__status_changed_at__lt=before)
    for kind in settled.select_related("event").order_by("pk"):
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
    for ticket in Ticket.objects.filter(torn).order_by("pk"):
        yield f"ticket {ticket}", f"is {ticket.status}; it says to be checked in at {ticket.checked_in_at}"


def nobody_came_of_no_shows() -> Iterator[tuple[str, str]]:
    absent_or_unpaid = [Booking.Status.NO_SHOW, Booking.Status.PENDING, Booking.Status.EXPIRED]
    present = Ticket.objects.filter(status=Ticket.Status.CHECKED_IN, booking__status__in=absent_or_unpaid)
    for ticket in present.order_by("pk").select_related("booking"):
        yield f"ticket {ticket}", f"is checked in; its booking {ticket.booking} is {ticket.booking.status}"


def scans_are_of_their_event() -> Iterator[tuple[str, str]]:
    strays = Scan.objects.filter(ticket__isnull=False).exclude(ticket__booking__event_id=F("event_id"))
    for scan in strays.order_by("pk").select_related("ticket__booking"):
        yield f"scan {scan}", f"is of event {scan.event_id} and let in with ticket {scan.ticket}"
    for scan in Scan.objects.filter(ticket__isnull=True, outcome="checked_in").order_by("pk"):
        yield f"scan {scan}", "let somebody in without a ticket"


def what_was_waived_says_why() -> Iterator[tuple[str, str]]:
    stands = Booking.objects.filter(status__in=[Booking.Status.CONFIRMED, Booking.Status.NO_SHOW], waiver_reason="")
    for booking in stands.filter(amount_due=0, total_amount__gt=0).order_by("pk"):
        yield f"booking {booking}", "has a price, nothing is due for it, and no reason is given"
    for booking in Booking.objects.exclude(invited_as="").filter(waiver_reason="").order_by("pk"):
        yield f"booking {booking}", "is complimentary, and no reason is given"
    for booking in Booking.objects.exclude(invited_as="").filter(total_amount__gt=0).order_by("pk"):
        yield f"booking {booking}", f"is complimentary, and costs {booking.total_amount}"


CHECKS = [
    Check("seat_counters", "The counters of events and ticket types equal their rows.", counters_equal_the_rows),
    Check("booking_tickets", "A booking's seats are its tickets.", seats_equal_the_tickets),
    Check("ticket_event", "A ticket is for its booking's event.", tickets_are_for_their_bookings_event),
    Check("one_active_booking", "One active booking per user and event.", one_active_booking_each),
    Check("waiting_counts", "Ticket types count those who wait for them.", waiting_counts_equal_the_rows),
    Check("waitlist_event", "A place in a queue is for its type's event.", places_are_for_their_types_event),
    Check("waitlist_bookings", "An accepted offer is a booking of the same seats.", accepted_places_have_their_booking),
    Check("waitlist_moves_on", "Queues end with their events, and offers with their time.", the_queue_moves_on),
    Check("waitlist_served", "No seat lies idle while whoever is first fits.", seats_are_offered_to_who_waits),
    Check("waiver_reason", "What is free of charge says why.", what_was_waived_says_why),
    Check("free_is_confirmed", "Free bookings are confirmed at once.", free_bookings_owe_nothing),
    Check("check_ins", "Who is checked in was let in at some time, nobody else.", who_is_in_came_at_some_time),
    Check(
        "no_shows",
        "Nobody is checked in on a booking that nobody came of, or that is not paid.",
        nobody_came_of_no_shows,
    ),
    Check("scans", "A scan let in with a ticket for its event.", scans_are_of_their_event),
]
