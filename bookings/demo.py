"""Bookings to try Event Hub with, as far as no money flows: free ones, given ones, and unpaid ones that wait or have
expired. Of an event that is over some people came and some did not; for another one they queue.

Each is known by its person and event; whoever has booked an event already does not book it again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from bookings.models import Booking, Ticket, Waitlist
from bookings.services import book_seats, cancel_booking, expire_booking, give_booking, join_waitlist, tell_of_move
from bookings.services.booking import BookingRequest, TicketRequest
from bookings.services.complimentary import Gift
from bookings.services.door import check_in_ticket
from bookings.services.no_shows import mark_no_show
from eventhub_config.shared.errors import DomainError
from events.demo import demo_events
from events.models import Event, TicketType
from events.services import update_event
from users.demo import SIGN_INS
from users.models import CustomUser


@dataclass(frozen=True)
class DemoBooking:
    username: str
    title: str
    days_ago: float
    # Name of the ticket type (empty: the first) and how many.
    tickets: tuple[tuple[str, int], ...] = (("", 1),)
    cancelled_days_ago: float | None = None
    reason: str = ""
    expires: bool = False
    came: int | None = None  # how many of them; none of them: it is a no-show
    requirements: dict[str, str] = field(default_factory=dict)
    billing: dict[str, str] = field(default_factory=dict)


BOOKINGS = (
    DemoBooking("ada", "Engineers by the Sea", 60, (("", 2),), came=2),
    DemoBooking("ben", "Engineers by the Sea", 58, came=0),
    DemoBooking("chloe", "Engineers by the Sea", 57, cancelled_days_ago=50, reason="I am abroad."),
    DemoBooking("dai", "Engineers by the Sea", 55, (("", 3),), came=2, requirements={"dietary": "Vegetarian"}),
    DemoBooking("ada", "Stockholm Python Evening", 20),
    DemoBooking("ben", "Stockholm Python Evening", 19, (("", 2),)),
    DemoBooking("chloe", "Stockholm Python Evening", 12, cancelled_days_ago=4, reason="My train does not run."),
    DemoBooking("dai", "Open Source Office Hours", 6),
    DemoBooking("ben", "Open Source Office Hours", 5),
    DemoBooking("ada", "Helsinki Data Meetup", 8, (("", 4),), requirements={"accessibility": "A step-free entrance."}),
    DemoBooking("chloe", "Helsinki Data Meetup", 7),
    DemoBooking("ada", "Sauna Talks: Consensus", 16, (("", 2),)),
    DemoBooking("ben", "Sauna Talks: Consensus", 15),
    DemoBooking("dai", "PostgreSQL for Application Developers", 10, expires=True),
    DemoBooking("chloe", "PostgreSQL for Application Developers", 0, (("", 2),)),
)

MOVED_DAYS_AGO = 3
# The event for which people queue: who was given a seat, who joined the queue for how many, and who gives back what the
# first of them is then offered.
QUEUED = "Sauna Talks: Consensus"
GIVEN = Gift(email="kim@demo.example", name="Kim, who heats the sauna", reason="Helps us out")
QUEUE = (("chloe", 1), ("eve", 2), ("dai", 1))
GIVES_BACK, HOURS_AGO = "ben", 2
# The event, where it was to take place, and where it will.
MOVED = ("Helsinki Data Meetup", "Market Hall Library", "Harbour Warehouse 12")


def load(*, now: datetime) -> None:
    """Make the bookings of ``BOOKINGS`` that are missing, move an event after it was booked, and let people queue."""
    _make_bookings(now)
    _move_an_event(now)
    _queue_up(now)


def _make_bookings(now: datetime) -> None:
    for plan, user, event in missing(BOOKINGS):
        booking = book(plan, user, event, now)
        if booking is None:
            continue
        if plan.expires:
            over = booking.created_at + timedelta(minutes=settings.HOLD_MINUTES, seconds=1)
            expire_booking(booking_id=booking.pk, now=over)
        if plan.cancelled_days_ago is not None:
            at = now - timedelta(days=plan.cancelled_days_ago)
            cancel_booking(booking_id=booking.pk, actor=user, now=at, reason=plan.reason)
        arrive(plan, booking, now)


def arrive(plan: DemoBooking, booking: Booking, now: datetime) -> None:
    """Let those in who came, once their event has begun, and note whose seats stayed empty."""
    event = booking.event
    if plan.came is None or event.starts_at > now:
        return
    for number, ticket in enumerate(Ticket.objects.filter(booking=booking).order_by("pk")[: plan.came]):
        at = event.starts_at - timedelta(minutes=20 - 3 * number)
        check_in_ticket(ticket_id=ticket.pk, actor=event.organizer, now=at)
    if plan.came == 0:
        mark_no_show(booking_id=booking.pk, actor=event.organizer, now=event.starts_at + timedelta(hours=1))


def _queue_up(now: datetime) -> None:
    """Sell an event out, let people queue for it, and give one seat back, which is offered to the first of them."""
    event = demo_events().get(QUEUED)
    if event is None or event.status != Event.Status.PUBLISHED or Waitlist.objects.filter(event=event).exists():
        return
    people = {user.username: user for user in CustomUser.objects.filter(username__in=[s.username for s in SIGN_INS])}
    try:
        give_booking(event_id=event.pk, gift=GIVEN, actor=event.organizer, now=now - timedelta(days=14))
        for number, (username, seats) in enumerate(QUEUE):
            at = now - timedelta(days=6 - number)
            join_waitlist(user=people[username], event_id=event.pk, seats=seats, now=at)
    except (DomainError, KeyError):  # such as after an interrupted load
        return
    at = now - timedelta(hours=HOURS_AGO)
    for booking in Booking.objects.active().filter(event=event, user=people.get(GIVES_BACK)):
        cancel_booking(booking_id=booking.pk, actor=booking.user, now=at, reason="Too hot for me.")


def _move_an_event(now: datetime) -> None:
    """Move an event by a day and to another house, and tell those who had booked it."""
    title, before, after = MOVED
    event, at = demo_events().get(title), now - timedelta(days=MOVED_DAYS_AGO)
    if event is None or event.venue_name != before or event.status != Event.Status.PUBLISHED or event.starts_at <= at:
        return
    day = timedelta(days=1)
    changes = {"venue_name": after, "starts_at": event.starts_at + day, "ends_at": event.ends_at + day}
    update_event(event_id=event.pk, changes=changes, actor=event.organizer, now=at)
    owed = Booking.objects.filter(event=event, move_notice_owed_since__isnull=False)
    for booking_id in owed.order_by("pk").values_list("pk", flat=True):
        tell_of_move(booking_id=booking_id, now=at)


def missing(plans: tuple[DemoBooking, ...]) -> list[tuple[DemoBooking, CustomUser, Event]]:
    """Return the plans that nobody has carried out yet, with their people and events."""
    events = demo_events()
    people = {user.username: user for user in CustomUser.objects.filter(username__in=[s.username for s in SIGN_INS])}
    made = set(
        Booking.objects.filter(event__in=events.values(), user__in=people.values()).values_list("user_id", "event_id")
    )
    possible = [plan for plan in plans if plan.title in events and plan.username in people]
    found = [(plan, people[plan.username], events[plan.title]) for plan in possible]
    return [(plan, user, event) for plan, user, event in found if (user.pk, event.pk) not in made]


def book(plan: DemoBooking, user: CustomUser, event: Event, now: datetime) -> Booking | None:
    """Book as planned; None if it cannot be any more, such as after an interrupted load."""
    types = {kind.name: kind.pk for kind in TicketType.objects.filter(event=event)}
    request = BookingRequest(
        event_id=event.pk,
        tickets=[TicketRequest(types.get(name) or min(types.values()), count) for name, count in plan.tickets],
        special_requirements=plan.requirements,
        billing=plan.billing,
    )
    try:
        return book_seats(user=user, request=request, now=now - timedelta(days=plan.days_ago))
    except DomainError:
        return None
