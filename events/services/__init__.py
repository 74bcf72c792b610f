"""What can be done with events."""

from events.services.copying import duplicate_event
from events.services.covers import remove_cover, replace_cover, set_cover
from events.services.lifecycle import (
    advance_event,
    cancel_event,
    create_event,
    delete_draft,
    publish_event,
    update_event,
    withdraw_event,
)
from events.services.programme import create_session, delete_session, update_session
from events.services.seats import (
    count_waiting,
    hold_seats,
    lock_event,
    note_first_booking,
    read_offer,
    release_seats,
    take_seats,
)
from events.services.ticket_types import create_ticket_type, delete_ticket_type, update_ticket_type

__all__ = [
    "advance_event",
    "cancel_event",
    "count_waiting",
    "create_event",
    "create_session",
    "create_ticket_type",
    "delete_draft",
    "delete_session",
    "delete_ticket_type",
    "duplicate_event",
    "hold_seats",
    "lock_event",
    "note_first_booking",
    "publish_event",
    "read_offer",
    "release_seats",
    "remove_cover",
    "replace_cover",
    "set_cover",
    "take_seats",
    "update_event",
    "update_session",
    "update_ticket_type",
    "withdraw_event",
]
