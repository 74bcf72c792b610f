"""What can be done with events."""

from events.services.lifecycle import (
    advance_event,
    cancel_event,
    create_event,
    delete_draft,
    publish_event,
    update_event,
    withdraw_event,
)
from events.services.seats import lock_event, read_offer, release_seats, take_seats
from events.services.ticket_types import create_ticket_type, delete_ticket_type, update_ticket_type

__all__ = [
    "advance_event",
    "cancel_event",
    "create_event",
    "create_ticket_type",
    "delete_draft",
    "delete_ticket_type",
    "lock_event",
    "publish_event",
    "read_offer",
    "release_seats",
    "take_seats",
    "update_event",
    "update_ticket_type",
    "withdraw_event",
]
