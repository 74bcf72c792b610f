"""Ticket types of an event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError, InvalidInput, NotVisible
from eventhub_config.shared.transactions import unit_of_work
from events import signals
from events.models import Event, TicketType
from events.services.editing import CapacityBelowTaken, require_editable, touch
from events.services.seats import lock_event


class TicketTypeInUse(DomainError):
    code = "ticket_type_in_use"
    title = "Somebody has booked this type or waits for it; it cannot be deleted. End its sales instead."


class LastTicketType(DomainError):
    code = "last_ticket_type"
    title = "A published event needs a ticket type."


EDITABLE = frozenset(
    {
        "name", "description", "price", "quantity", "sales_start_at", "sales_end_at",
        "min_per_booking", "max_per_booking", "is_visible", "position",
    }
)  # fmt: skip


@unit_of_work
def create_ticket_type(*, event_id: int, values: Mapping[str, Any], actor: Actor, now: datetime) -> TicketType:
    """Add a ticket type to an event.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    :raises InvalidInput: price, window, limits or name cannot be accepted.
    """
    event = lock_event(event_id)
    require_editable(event, actor)
    kind = checked_ticket_type(event, values, position=values.get("position", event.ticket_types.count()))
    _save_unique(kind)
    touch(event, now)
    return kind


@unit_of_work
def update_ticket_type(*, ticket_type_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime) -> TicketType:
    """Edit a ticket type; what was booked keeps its price.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    :raises CapacityBelowTaken: more seats than the new quantity are taken.
    :raises InvalidInput: price, window, limits or name cannot be accepted.
    """
    event = lock_event(_event_id_of(ticket_type_id))
    require_editable(event, actor)
    kind = _locked(TicketType.objects.select_for_update(no_key=True), ticket_type_id)
    for name, value in changes.items():
        if name in EDITABLE:
            setattr(kind, name, value)
    _check(event, kind)
    if kind.quantity is not None and kind.quantity < kind.seats_taken:
        raise CapacityBelowTaken(f"{kind.seats_taken} seats are taken; the quantity cannot be {kind.quantity}.")
    _save_unique(kind)
    touch(event, now)
    if event.status == Event.Status.PUBLISHED and changes.keys() & {"quantity", "sales_start_at", "sales_end_at"}:
        signals.sales_changed.send(sender=Event, event=event, now=now)
    return kind


@unit_of_work
def delete_ticket_type(*, ticket_type_id: int, actor: Actor, now: datetime) -> None:
    """Delete a ticket type of which nothing was ever booked.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    :raises TicketTypeInUse: tickets of it exist.
    :raises LastTicketType: it is the only one of a published event.
    """
    event = lock_event(_event_id_of(ticket_type_id))
    require_editable(event, actor)
    if event.status != Event.Status.DRAFT and event.ticket_types.count() == 1:
        raise LastTicketType
    kind = _locked(TicketType.objects.select_for_update(), ticket_type_id)
    try:
        with transaction.atomic():
            kind.delete()
    except IntegrityError as error:  # tickets point to it, taken now or given back since (their key is PROTECT)
        raise TicketTypeInUse from error
    touch(event, now)


def checked_ticket_type(event: Event, values: Mapping[str, Any], *, position: int) -> TicketType:
    """Return an unsaved ticket type.

    :raises InvalidInput: price, window or limits cannot be accepted.
    """
    known = {name: value for name, value in values.items() if name in EDITABLE}
    kind = TicketType(event=event, **({"position": position} | known))
    _check(event, kind)
    return kind


def _check(event: Event, kind: TicketType) -> None:
    if not money.fits(kind.price, event.currency):
        decimals = money.exponent(event.currency)
        message = f"{event.currency} has {decimals} decimals."
        raise InvalidInput.field("price", "too_many_decimals", message)
    if kind.max_per_booking < kind.min_per_booking:
        raise InvalidInput.field("max_per_booking", "below_minimum", "The maximum is not below the minimum.")
    if kind.sales_start_at and kind.sales_end_at and kind.sales_end_at <= kind.sales_start_at:
        raise InvalidInput.field("sales_end_at", "ends_before_start", "Sales end after they start.")


def _save_unique(kind: TicketType) -> None:
    try:
        with transaction.atomic():
            kind.save()
    except IntegrityError as error:
        raise InvalidInput.field("name", "duplicate", "The event has a ticket type of this name.") from error


def _event_id_of(ticket_type_id: int) -> int:
    for event_id in TicketType.objects.filter(pk=ticket_type_id).values_list("event_id", flat=True):
        return event_id
    raise NotVisible


def _locked(rows: QuerySet[TicketType], ticket_type_id: int) -> TicketType:
    for kind in rows.filter(pk=ticket_type_id):
        return kind
    raise NotVisible  # deleted while we waited for its event
