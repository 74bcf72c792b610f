"""The list for the door: all tickets of an event at once, short enough for a phone, and what changed since."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from bookings.models import Booking, Ticket
from eventhub_config.shared.fields import moment_text
from events.models import Event, TicketType

TICKETS_AT_ONCE = 10_000
# A change is seen by others once it is committed, some seconds after the moment it bears.
COMMITTED_WITHIN = timedelta(minutes=1)


class DoorState(models.TextChoices):
    """What a ticket and its booking mean together for those at the door."""

    VALID = "valid", "Let in"
    CHECKED_IN = "checked_in", "Is in"
    NO_SHOW = "no_show", "Did not come; is let in"
    UNPAID = "unpaid", "Not paid"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Not paid in time"


_BY_BOOKING = {
    Booking.Status.PENDING: DoorState.UNPAID,
    Booking.Status.EXPIRED: DoorState.EXPIRED,
    Booking.Status.CANCELLED: DoorState.CANCELLED,
    Booking.Status.NO_SHOW: DoorState.NO_SHOW,
}
_BY_TICKET = {Ticket.Status.CHECKED_IN: DoorState.CHECKED_IN, Ticket.Status.CANCELLED: DoorState.CANCELLED}
_COLUMNS = (
    "pk", "code", "attendee_name", "ticket_type_id", "status", "checked_in_at", "status_changed_at",
    "booking__reference", "booking__status", "booking__status_changed_at", "booking__special_requirements",
    "booking__invited_as", "booking__user__first_name", "booking__user__last_name", "booking__user__username",
)  # fmt: skip


def changed_since(moment: datetime) -> Q:
    """Return the condition of tickets that changed, or whose bookings did, from a moment on."""
    return Q(status_changed_at__gte=moment) | Q(booking__status_changed_at__gte=moment)


def read_door_list(event: Event, tickets: QuerySet[Ticket], since: datetime | None) -> dict[str, Any]:
    """Return some of an event's tickets for its door, in the order of their ids. Two statements."""
    found = list(tickets.order_by("pk").values_list(*_COLUMNS)[: TICKETS_AT_ONCE + 1])
    rows, more = found[:TICKETS_AT_ONCE], len(found) > TICKETS_AT_ONCE
    # By what is in the answer, not by the clock: asked again with nothing changed, it is the same answer.
    latest = max((moment for row in rows for moment in (row[6], row[9])), default=since or event.created_at)
    kinds = TicketType.objects.in_order().filter(event=event).values("pk", "name")
    return {
        "event": event.pk,
        "changed_since": token_of(max(latest - COMMITTED_WITHIN, since) if since else latest - COMMITTED_WITHIN),
        "next_after": rows[-1][0] if more else None,
        "ticket_types": [{"id": kind["pk"], "name": kind["name"]} for kind in kinds],
        "tickets": [_row(*row) for row in rows],
    }


def _row(
    pk: int,
    code: str,
    attendee_name: str,
    ticket_type: int,
    status: str,
    checked_in_at: datetime | None,
    _changed_at: datetime,
    reference: str,
    booking_status: str,
    _booking_changed_at: datetime,
    requirements: dict[str, str],
    invited_as: str,
    first_name: str,
    last_name: str,
    username: str,
) -> dict[str, Any]:
    return {
        "id": pk,
        "code": code,
        # As `Ticket.holder_name` tells it.
        "name": attendee_name or invited_as or f"{first_name} {last_name}".strip() or username,
        "reference": reference,
        "ticket_type": ticket_type,
        "state": _BY_BOOKING.get(booking_status) or _BY_TICKET.get(status) or DoorState.VALID,  # type: ignore[call-overload]
        "checked_in_at": moment_text(checked_in_at) if checked_in_at else None,
        "note": "; ".join(value for value in requirements.values() if value),
    }


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def token_of(moment: datetime) -> str:
    return str((moment - _EPOCH) // timedelta(microseconds=1))


def moment_of(token: str) -> datetime:
    """Return the moment that a token of ours stands for; its digits were checked."""
    return _EPOCH + timedelta(microseconds=int(token))
