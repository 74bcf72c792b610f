"""Who may edit an event, and what every edit does."""

from datetime import datetime

from django.db.models import F, Min, OuterRef, Subquery

from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.answer_cache import forget_on_commit
from eventhub_config.shared.errors import DomainError, Forbidden
from events.models import Event, TicketType
from users.models import CustomUser


class NotOwner(Forbidden):
    code = "not_owner"
    title = "This event is run by somebody else."


class EventIsOver(DomainError):
    code = "event_is_over"
    title = "A completed or cancelled event cannot be changed."


class EventHasStarted(DomainError):
    code = "event_has_started"
    title = "This event has started."


class CapacityBelowTaken(DomainError):
    code = "capacity_below_taken"
    title = "More seats than that are taken."


# What every edit of an event, or of what belongs to it, can be refused with.
EDIT_PROBLEMS = (NotOwner, EventIsOver, CapacityBelowTaken)


def require_owner(event: Event, actor: Actor) -> None:
    """Let the organizer, administrators and jobs pass.

    :raises NotOwner: anybody else.
    """
    if not isinstance(actor, System) and not event.is_run_by(actor):
        raise NotOwner


def require_editable(event: Event, actor: Actor) -> None:
    """Let those who run the event pass while it can still be changed.

    :raises NotOwner: somebody else runs it.
    :raises EventIsOver: it is completed or cancelled.
    """
    require_owner(event, actor)
    if event.status in {Event.Status.COMPLETED, Event.Status.CANCELLED}:
        raise EventIsOver


def lock_organizer(organizer_id: int) -> None:
    """Let nobody change an organizer's name until the event that is being made bears it. Before any event's lock."""
    bool(CustomUser.objects.select_for_update(no_key=True).filter(pk=organizer_id).values_list("pk"))


PUBLIC_LIST = "events"


def show_at_once() -> None:
    """Let the public list tell of the present edit as soon as it is committed."""
    forget_on_commit(PUBLIC_LIST)


def touch(event: Event, now: datetime) -> None:
    """Raise the version after an edit of what belongs to the event; the caller holds its lock."""
    show_at_once()
    Event.objects.filter(pk=event.pk).update(version=F("version") + 1, updated_at=now, lowest_price=_lowest_price())
    event.version += 1
    event.updated_at = now


def keep_lowest_price(event_id: int) -> None:
    """Note what the cheapest ticket on view costs, for lists to be filtered and ordered by."""
    Event.objects.filter(pk=event_id).update(lowest_price=_lowest_price())


def _lowest_price() -> Subquery:
    on_view = TicketType.objects.filter(event_id=OuterRef("pk"), is_visible=True).order_by()
    return Subquery(on_view.values("event_id").annotate(lowest=Min("price")).values("lowest"))
