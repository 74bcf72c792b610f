"""Inserting without the ORM stores what the ORM would have stored."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.forms.models import model_to_dict

from bookings.models import Booking, Ticket
from bookings.tests.factories import a_booking
from eventhub_config.shared.fast_insert import insert_once, insert_rows
from eventhub_config.shared.models import RateLimitCounter
from events.models import Event, TicketType
from events.tests.factories import NOW, an_event
from users.models import CustomUser
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db


def a_new_booking(user: CustomUser, event: Event) -> Booking:
    return Booking(
        user=user,
        event=event,
        status="pending",
        status_changed_at=NOW,
        seats=2,
        total_amount=Decimal("12.345"),
        amount_due=Decimal("1.5"),
        currency="KWD",
        tax_rate=Decimal("7.7"),
        refund_policy="partial",
        refund_until=datetime(2027, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        refund_percent=50,
        special_requirements={"other": "“nüts” % %s"},
        billing={},
        expires_at=NOW,
        created_at=NOW,
    )


def stored(booking: Booking) -> dict[str, Any]:
    """Return the row as it is read back, without what differs by nature."""
    row = model_to_dict(Booking.objects.get(pk=booking.pk))
    return {name: value for name, value in row.items() if name not in {"id", "user"}}


def test_every_kind_of_column_is_stored_as_by_save() -> None:
    event = an_event()
    fast, slow = a_new_booking(a_user(), event), a_new_booking(a_user(), event)

    insert_rows([fast])
    slow.save(force_insert=True)

    assert stored(fast) == stored(slow)
    assert fast.reference != slow.reference
    assert (fast._state.adding, fast._state.db) == (slow._state.adding, slow._state.db) == (False, "default")


def test_several_rows_get_their_ids_in_order() -> None:
    booking = a_booking()
    kind = TicketType.objects.get(event=booking.event)
    common = {"booking": booking, "event": booking.event, "ticket_type": kind, "price": 0, "status_changed_at": NOW}
    tickets = [Ticket(attendee_name=f"Guest {number}", **common) for number in range(5)]

    insert_rows(tickets)

    assert [Ticket.objects.get(pk=ticket.pk).attendee_name for ticket in tickets] == [
        f"Guest {number}" for number in range(5)
    ]


def test_nothing_is_fine_too() -> None:
    insert_rows([])


def test_a_taken_key_inserts_nothing_and_breaks_nothing() -> None:
    rows = [RateLimitCounter(key="same", count=count, expires_at=NOW) for count in (1, 2)]

    assert [insert_once(row) for row in rows] == [True, False]
    assert (rows[0].pk is None, rows[1].pk) == (False, None)
    assert RateLimitCounter.objects.get().count == 1
