"""What plants need besides the world, made by the services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bookings.models import Ticket
from bookings.services import cancel_booking, check_in
from bookings.services.door import ScanRequest
from bookings.tests.factories import a_booking
from eventhub_config.tests.pictures import picture
from eventhub_config.tests.world import World, issue_all, pay
from payments.models import (
    GatewayCallback,
    Payment,
    Refund,
)
from payments.services import process_payment, send_refund, start_payment
from users.models import UserProfile
from users.services import set_avatar


def paid(world: World, price: str = "30.00") -> Payment:
    """Return another paid booking's payment, with its invoice."""
    payment = pay(a_booking(organizer=world.people["organizer"], price=price, now=world.now))
    issue_all(world.now)
    return payment


def declined(world: World) -> Payment:
    """Return a payment that its gateway declined."""
    booking = a_booking(organizer=world.people["organizer"], price="8.00", now=world.now)
    payment = start_payment(user=booking.user, booking_id=booking.pk, token="tok_decline", now=world.now)
    process_payment(payment_id=payment.pk, now=world.now)
    payment.refresh_from_db()
    return payment


def part_refunded(world: World) -> Refund:
    """Return a refund of a part of a payment whose booking was cancelled, with its credit note."""
    policy: dict[str, Any] = {"refund_policy": "partial", "refund_percent": 40}
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", tax_rate=19, now=world.now, **policy))
    issue_all(world.now)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    refund = Refund.objects.get(payment=payment)
    send_refund(refund_id=refund.pk, now=world.now)
    issue_all(world.now)
    refund.refresh_from_db()
    return refund


def let_in(world: World) -> Ticket:
    ticket = Ticket.objects.get(booking=a_booking(event=world.objects["free_event"], now=world.now))
    event = world.objects["free_event"]
    check_in(event_id=event.pk, scan=ScanRequest(ticket.code, "1"), actor=world.people["organizer"], now=world.now)
    return ticket


def with_avatar(world: World) -> UserProfile:
    owner = world.people["owner"]
    set_avatar(user_id=owner.pk, content=picture(), actor=owner, now=world.now)
    return UserProfile.objects.get(user=owner)


def a_callback(world: World, **values: Any) -> GatewayCallback:
    common = {"gateway": "mock", "event_id": "ev_1", "type": "charge.succeeded", "payload": {}}
    return GatewayCallback.objects.create(**common | {"received_at": world.now} | values)


def moment_before(world: World, **ago: float) -> datetime:
    return world.now - timedelta(**ago)
