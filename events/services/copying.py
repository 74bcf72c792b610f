"""Holding an event once more: a draft like another event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event, Session
from events.services import lifecycle, programme, searching, ticket_types
from events.services.editing import lock_organizer, require_owner
from events.services.seats import lock_event
from events.wall_clock import Shift

MOMENTS = ("ends_at", "registration_deadline", "refund_until")
SALES_WINDOW = ("sales_start_at", "sales_end_at")


@unit_of_work
def duplicate_event(
    *, event_id: int, title: str | None = None, starts_at: datetime | None = None, actor: Actor, now: datetime
) -> Event:
    """Make a draft of the same organizer with an event's words, terms, ticket types, programme and cover.

    With another start, everything that has a time moves along by the clock of the event's zone. What became of the
    event stays with it: its state, slug and counters, whatever was booked, said or sent.

    :raises NotOwner: somebody else runs the event.
    :raises InvalidInput: on that day the clocks change, and a time would come before another.
    :raises SessionsOutsideEvent: the same, of a session.
    :raises RoomTaken: the same, of two sessions.
    :raises SpeakerTaken: the same.
    """
    for organizer_id in Event.objects.filter(pk=event_id).values_list("organizer_id", flat=True):
        lock_organizer(organizer_id)  # a user before an event
    source = lock_event(event_id)  # nobody edits it meanwhile
    require_owner(source, actor)
    zone = source.timezone
    shift = Shift.between(source.starts_at, starts_at, zone, zone) if starts_at else None
    values = {name: getattr(source, name) for name in lifecycle.EDITABLE} | {"cover_id": source.cover_id}
    values |= {"title": title or source.title, "starts_at": starts_at or source.starts_at}
    event = lifecycle.create_event(
        organizer=source.organizer,
        values=_moved(values, MOMENTS, shift),
        ticket_types=[
            _moved({name: getattr(kind, name) for name in ticket_types.EDITABLE}, SALES_WINDOW, shift)
            for kind in source.ticket_types.in_order()
        ],
        actor=actor,
        now=now,
    )
    _copy_programme(source, event, shift)
    return event


def _copy_programme(source: Event, event: Event, shift: Shift | None) -> None:
    sessions = list(source.sessions.in_order())
    if not sessions:
        return
    if shift:
        sessions = programme.shifted(sessions, shift)
        programme.check_programme(event, sessions)
    copies = [
        Session(event=event, **{name: getattr(session, name) for name in programme.EDITABLE}) for session in sessions
    ]
    Session.objects.bulk_create(copies)
    searching.refresh(event.pk)


def _moved(values: Mapping[str, Any], names: tuple[str, ...], shift: Shift | None) -> dict[str, Any]:
    """Return the values with the moments of these names, as far as there are any, moved."""
    if shift is None:
        return dict(values)
    return {**values, **{name: shift(values[name]) for name in names if values[name] is not None}}
