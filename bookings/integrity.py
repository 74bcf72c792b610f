"""What must be true of bookings and the seats they hold."""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from bookings.models import Booking, Ticket
from eventhub_config.shared.integrity import Check
from events.models import Event, TicketType


def counters_equal_the_rows() -> Iterator[tuple[str, str]]:
    holding = Ticket.objects.exclude(status=Ticket.Status.CANCELLED).filter(booking__status__in=Booking.ACTIVE)
    by_event = dict(holding.order_by().values_list("booking__event").annotate(seats=Count("pk")))
    by_type = dict(holding.order_by().values_list("ticket_type").annotate(seats=Count("pk")))
    for event in Event.objects.order_by("pk").only("pk", "title", "seats_taken"):
        if event.seats_taken != by_event.get(event.pk, 0):
            yield (
                f"event {event}",
                f"counts {event.seats_taken} seats taken; its tickets are {by_event.get(event.pk, 0)}",
            )
    for kind in TicketType.objects.order_by("pk").only("pk", "name", "seats_taken"):
        if kind.seats_taken != by_type.get(kind.pk, 0):
            yield f"ticket type {kind}", f"counts {kind.seats_taken} taken; its tickets are {by_type.get(kind.pk, 0)}"


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


CHECKS = [
    Check("seat_counters", "The counters of events and ticket types equal their rows.", counters_equal_the_rows),
    Check("booking_tickets", "A booking's seats are its tickets.", seats_equal_the_tickets),
    Check("ticket_event", "A ticket is for its booking's event.", tickets_are_for_their_bookings_event),
    Check("one_active_booking", "One active booking per user and event.", one_active_booking_each),
    Check("free_is_confirmed", "Free bookings are confirmed at once.", free_bookings_owe_nothing),
]
