"""A small world with one of everything, for tests that ask every operation of the API.

Two attendees and two organizers, so that everything has an owner and a stranger. Made by factories and services only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking
from bookings.tests.factories import a_booking, a_free_seat, a_place
from events.models import TicketType
from events.services import cancel_event
from events.tests.factories import a_draft, a_session, an_event
from notifications.models import Notification
from payments.models import Invoice, InvoiceRequest, Payment, Refund
from payments.services import issue_invoice, process_payment, send_refund, start_payment
from users.models import CustomUser
from users.services import set_active
from users.services.tokens import TokenPair
from users.tests.factories import a_client, a_user, an_admin, an_organizer, tokens_for

ANONYMOUS = "anonymous"
# In the order of the columns of the authorization table. The owner has booked and paid at the organizer's events.
IDENTITIES = (
    ANONYMOUS,
    "owner",
    "stranger",
    "organizer",
    "other_organizer",
    "pending_organizer",
    "admin",
    "deactivated",
)
# Those whom the organizer's drafts and the owner's bookings are none of their business.
STRANGERS = (ANONYMOUS, "stranger", "other_organizer", "pending_organizer")


@dataclass
class World:
    """People with their tokens, and the objects between them, by name."""

    now: datetime
    people: dict[str, CustomUser] = field(default_factory=dict)
    tokens: dict[str, TokenPair] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)

    def client(self, identity: str) -> APIClient:
        """Return a client with the real token of an identity."""
        return a_client(self.tokens.get(identity))

    def pk(self, name: str) -> int:
        """Return the id of a person or an object."""
        found: int = (self.people | self.objects)[name].pk
        return found


def a_world() -> World:
    """Make people, events and money; about a hundred statements."""
    world = World(timezone.now())
    world.people = {
        "owner": a_user(),
        "stranger": a_user(),
        "organizer": an_organizer(),
        "other_organizer": an_organizer(),
        "pending_organizer": an_organizer(organizer_status=CustomUser.OrganizerStatus.PENDING),
        "admin": an_admin(),
        "deactivated": a_user(),
    }
    world.tokens = {name: tokens_for(person) for name, person in world.people.items()}
    _deactivate(world)
    _make_events(world)
    _make_money(world)
    _make_queues(world)
    return world


def _deactivate(world: World) -> None:
    """Deactivate somebody who holds tokens."""
    set_active(user_id=world.people["deactivated"].pk, is_active=False, actor=world.people["admin"], now=world.now)


def _make_events(world: World) -> None:
    organizer, now = world.people["organizer"], world.now
    event = an_event(organizer=organizer, price="25.00", capacity=50, now=now)
    draft = a_draft(organizer=organizer, title="A secret plan", now=now)
    cancelled = an_event(organizer=organizer, title="Called off", now=now)
    cancel_event(event_id=cancelled.pk, reason="Storm", actor=organizer, now=now)
    world.objects |= {
        "event": event,
        "draft": draft,
        "cancelled_event": cancelled,
        "free_event": an_event(organizer=organizer, title="For free", now=now),
        "pending_draft": a_draft(organizer=world.people["pending_organizer"], title="A plan", now=now),
        "ticket_type": TicketType.objects.get(event=event),
        "draft_ticket_type": TicketType.objects.get(event=draft),
        "session": a_session(event, now=now),
        "draft_session": a_session(draft, now=now),
    }


def _make_money(world: World) -> None:
    """Have the owner book twice: paid, and cancelled after it was paid; and once more, unpaid."""
    organizer, owner = world.people["organizer"], world.people["owner"]
    paid = pay(a_booking(user=owner, event=world.objects["event"], now=world.now))
    returned = pay(a_booking(user=owner, organizer=organizer, price="9.00", title="Returned", now=world.now))
    cancel_booking(booking_id=returned.booking_id, actor=owner, now=world.now, reason="Ill in bed")
    refund = Refund.objects.get(payment=returned)
    send_refund(refund_id=refund.pk, now=world.now)
    issue_all(world.now)
    world.objects |= {
        "booking": Booking.objects.get(pk=paid.booking_id),
        "ticket": Ticket.objects.get(booking=paid.booking_id),
        "payment": paid,
        "invoice": Invoice.objects.get(payment=paid),
        "refund": refund,
        "cancelled_booking": Booking.objects.get(pk=returned.booking_id),
        "unpaid_booking": a_booking(user=owner, organizer=organizer, price="7.00", title="Unpaid", now=world.now),
        "notification": Notification.objects.filter(user=owner).order_by("pk")[0],
    }


def _make_queues(world: World) -> None:
    """Have the owner wait as a party of two, where one seat is left and somebody else waits behind; and once be offered
    a seat.
    """
    organizer, owner, now = world.people["organizer"], world.people["owner"], world.now
    full = an_event(organizer=organizer, title="Full", capacity=2, now=now)
    again = an_event(organizer=organizer, title="Full again", capacity=1, now=now)
    for event, seats in ((full, 2), (again, 1)):
        a_booking(event=event, now=now)
        if seats == 2:
            a_booking(event=event, now=now)
        name = {full: "place", again: "offer"}[event]
        world.objects[name] = a_place(event, user=owner, seats=seats, now=now)
    a_place(full, now=now)
    world.objects["full_event"] = full
    for event in (full, again):
        a_free_seat(event, now=now)


def pay(booking: Booking) -> Payment:
    """Pay for a booking, as its owner and a worker would."""
    now = booking.created_at
    payment = start_payment(user=booking.user, booking_id=booking.pk, token="tok_success", now=now)
    process_payment(payment_id=payment.pk, now=now)
    payment.refresh_from_db()
    return payment


def issue_all(now: datetime) -> None:
    """Issue the invoices that are owed, as a worker would."""
    for request in InvoiceRequest.objects.filter(invoice=None).order_by("pk"):
        issue_invoice(request_id=request.pk, now=now)


@contextmanager
def undone() -> Iterator[None]:
    """Undo what is done inside, within the transaction that the test itself runs in."""
    here = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(here)
