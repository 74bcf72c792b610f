"""An event from draft to its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.conditional import ANY_VERSION, ExpectedVersion
from eventhub_config.shared.errors import DomainError, Forbidden, InvalidInput, InvalidTransition
from eventhub_config.shared.images.storing import discard_if_unused
from eventhub_config.shared.transactions import unit_of_work
from events import signals
from events.models import Event, TicketType
from events.services import programme, searching, slugs
from events.services.editing import (
    CapacityBelowTaken,
    EventHasStarted,
    keep_lowest_price,
    lock_organizer,
    require_editable,
    require_owner,
    show_at_once,
)
from events.services.seats import START_AND_PLACE, lock_event
from events.services.ticket_types import checked_ticket_type
from users.models import CustomUser


class EventIncomplete(DomainError):
    code = "event_incomplete"
    title = "The event is not ready to be published."


class OrganizerNotApproved(Forbidden):
    code = "organizer_not_approved"
    title = "Your organizer account has not been approved yet. You can draft events meanwhile."


class CurrencyFrozen(DomainError):
    code = "currency_frozen"
    title = "The currency is fixed since the first booking."


class EventHasBookings(DomainError):
    code = "event_has_bookings"
    title = "Somebody has booked this event. Cancel it instead."


class EventWasPublished(DomainError):
    code = "event_was_published"
    title = "Only a draft that was never published can be deleted."


EDITABLE = frozenset(
    {
        "title", "summary", "description", "category", "format", "language", "skills", "hours",
        "venue_name", "address", "city", "country", "latitude", "longitude", "online_url",
        "starts_at", "ends_at", "timezone", "registration_deadline", "capacity", "currency", "tax_rate",
        "attendance_rule", "refund_policy", "refund_until", "refund_percent",
    }
)  # fmt: skip


@unit_of_work
def create_event(
    *,
    organizer: CustomUser,
    values: Mapping[str, Any],
    ticket_types: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime,
) -> Event:
    """Create a draft with its ticket types.

    :raises InvalidInput: times, prices or limits contradict one another.
    """
    lock_organizer(organizer.pk)
    event = Event(organizer=organizer, status_changed_at=now, created_at=now, updated_at=now, **values)
    _check(event)
    slugs.insert_with_slug(event)
    event.record_creation(actor=actor, at=now)
    kinds = [checked_ticket_type(event, kind, position=index) for index, kind in enumerate(ticket_types)]
    try:
        with transaction.atomic():
            TicketType.objects.bulk_create(kinds)
    except IntegrityError as error:
        raise InvalidInput.field("ticket_types", "duplicate", "Give each ticket type a name of its own.") from error
    keep_lowest_price(event.pk)
    searching.refresh(event.pk)
    return event


@unit_of_work
def update_event(
    *, event_id: int, changes: Mapping[str, Any], expected: ExpectedVersion = ANY_VERSION, actor: Actor, now: datetime
) -> Event:
    """Edit an event; counters, rating and state are out of an edit's reach.

    :raises NotOwner: somebody else runs it.
    :raises EventIsOver: it is completed or cancelled.
    :raises VersionMismatch: the caller read another version.
    :raises CapacityBelowTaken: more seats than the new capacity are taken.
    :raises CurrencyFrozen: somebody has booked, and the change is of the currency.
    :raises EventHasStarted: it has begun, and the change is of its start or place.
    :raises EventIncomplete: the public sees it, and it would be without a place or a link any more.
    :raises SessionsOutsideEvent: its new times leave out a session.
    :raises RoomTaken: sessions that move along with it meet, as the clocks show an hour twice.
    :raises SpeakerTaken: the same.
    :raises InvalidInput: times or prices contradict one another.
    """
    event = lock_event(event_id)
    require_editable(event, actor)
    expected.check(event.version)
    changes = {name: value for name, value in changes.items() if name in EDITABLE}
    if "currency" in changes and changes["currency"] != event.currency:
        _change_currency(event, changes["currency"])
    moved = any(getattr(event, name) != changes[name] for name in START_AND_PLACE & changes.keys())
    if moved:
        _require_not_begun(event, now)
    title, window, missing = event.title, programme.Window.of(event), _missing_place(event)
    for name, value in changes.items():
        setattr(event, name, value)
    slugs.follow_title(event, before=title)
    if event.capacity is not None and event.capacity < event.seats_taken:
        raise CapacityBelowTaken(f"{event.seats_taken} seats are taken; the capacity cannot be {event.capacity}.")
    _check(event)
    taken_away = [error for error in _missing_place(event) if error not in missing]
    if event.published_at and taken_away:
        raise EventIncomplete(" ".join(error["message"] for error in taken_away), errors=taken_away)
    programme.follow_event(event, before=window)
    if moved and event.status == Event.Status.PUBLISHED and event.starts_at <= now:
        raise InvalidInput.field("starts_at", "in_the_past", "A published event cannot be moved into the past.")
    event.version += 1
    event.updated_at = now
    event.save()
    show_at_once()
    searching.refresh(event.pk)
    if event.status == Event.Status.PUBLISHED:
        if moved:
            signals.event_moved.send(sender=Event, event=event, actor=actor, now=now)
        if changes.keys() & {"capacity", "registration_deadline", "starts_at"}:
            signals.sales_changed.send(sender=Event, event=event, now=now)
    return event


@unit_of_work
def publish_event(*, event_id: int, actor: Actor, now: datetime) -> Event:
    """Let the public see and book a draft.

    :raises NotOwner: somebody else runs it.
    :raises OrganizerNotApproved: an administrator has yet to approve its organizer.
    :raises EventIncomplete: something is missing, or it starts in the past; the fields are named.
    :raises InvalidTransition: it is not a draft.
    """
    event = lock_event(event_id)
    require_owner(event, actor)
    if not event.may_move_to(Event.Status.PUBLISHED):
        raise InvalidTransition(f"This event is {event.status}; it cannot become published.")
    if not event.organizer.may_publish:
        raise OrganizerNotApproved
    missing = _missing_for_publication(event, now)
    if missing:
        raise EventIncomplete(" ".join(error["message"] for error in missing), errors=missing)
    event.published_at = now
    event.first_published_at = event.first_published_at or now
    slugs.claim_plain(event)
    event.version += 1
    event.updated_at = now
    event.move_to(
        Event.Status.PUBLISHED,
        actor=actor,
        at=now,
        also=["published_at", "first_published_at", "slug", "version", "updated_at"],
    )
    show_at_once()
    searching.refresh(event.pk)  # now its words may be meant by misspelt ones
    signals.event_published.send(sender=Event, event=event, actor=actor, now=now)
    return event


@unit_of_work
def withdraw_event(*, event_id: int, actor: Actor, now: datetime) -> Event:
    """Take a published event back to draft.

    :raises NotOwner: somebody else runs it.
    :raises EventHasBookings: somebody has booked.
    :raises InvalidTransition: it is not published.
    """
    event = lock_event(event_id)
    require_owner(event, actor)
    if event.seats_taken:
        raise EventHasBookings
    event.published_at = None
    event.version += 1
    show_at_once()
    event.move_to(Event.Status.DRAFT, actor=actor, at=now, also=["published_at", "version"])
    return event


@unit_of_work
def cancel_event(*, event_id: int, reason: str, actor: Actor, now: datetime) -> Event:
    """Cancel an event; its bookings are closed and refunded one by one after this.

    :raises NotOwner: somebody else runs it.
    :raises InvalidTransition: it is completed or cancelled already.
    """
    event = lock_event(event_id)
    require_owner(event, actor)
    event.cancellation_reason = reason
    event.version += 1
    event.updated_at = now
    event.move_to(
        Event.Status.CANCELLED,
        actor=actor,
        at=now,
        note=reason,
        also=["cancellation_reason", "version", "updated_at"],
    )
    show_at_once()
    signals.event_cancelled.send(sender=Event, event=event, actor=actor, now=now)
    return event


@unit_of_work
def advance_event(*, event_id: int, now: datetime) -> None:
    """Start and complete an event whose time has come; anything else is left as it is."""
    event = lock_event(event_id)
    actor = System("advance_event_status")
    show_at_once()
    if event.status == Event.Status.PUBLISHED and event.starts_at <= now:
        event.move_to(Event.Status.ONGOING, actor=actor, at=now)
    if event.status == Event.Status.ONGOING and event.ends_at <= now:
        event.move_to(Event.Status.COMPLETED, actor=actor, at=now)
        signals.event_completed.send(sender=Event, event=event, now=now)


@unit_of_work
def delete_draft(*, event_id: int, actor: Actor, now: datetime) -> None:
    """Delete a draft that was never published.

    :raises NotOwner: somebody else runs it.
    :raises EventWasPublished: it was published once; cancel it instead.
    """
    event = lock_event(event_id)
    require_owner(event, actor)
    if event.status != Event.Status.DRAFT or event.first_published_at:
        raise EventWasPublished
    event.delete()
    if event.cover_id:
        discard_if_unused(key=event.cover_id, now=now)


def _check(event: Event) -> None:
    """Hold the rules between fields; the serializer has checked each by itself."""
    errors = []
    if event.ends_at <= event.starts_at:
        errors.append(_error("ends_at", "ends_before_start", "An event ends after it starts."))
    if event.registration_deadline and event.registration_deadline > event.starts_at:
        errors.append(_error("registration_deadline", "after_start", "Registration closes at the start or before."))
    if (event.latitude is None) != (event.longitude is None):
        errors.append(_error("latitude", "incomplete", "Give latitude and longitude together."))
    if errors:
        raise InvalidInput(errors=errors)


def _missing_for_publication(event: Event, now: datetime) -> list[dict[str, Any]]:
    missing = []
    if event.closes_at <= now:
        missing.append(_error("starts_at", "in_the_past", "Registration would be over already; move the event."))
    missing += _missing_place(event)
    if not event.ticket_types.exists():
        missing.append(_error("ticket_types", "required", "Add a ticket type; a free one has the price 0."))
    return missing


def _missing_place(event: Event) -> list[dict[str, Any]]:
    """Return what people would need to know to get there."""
    missing = []
    if event.format != Event.Format.ONLINE and not (event.venue_name or event.address):
        missing.append(_error("venue_name", "required", "Say where the event takes place."))
    if event.format != Event.Format.IN_PERSON and not event.online_url:
        missing.append(_error("online_url", "required", "Give the link that attendees will join by."))
    return missing


def _require_not_begun(event: Event, now: datetime) -> None:
    begun = event.status == Event.Status.ONGOING or (event.status == Event.Status.PUBLISHED and event.starts_at <= now)
    if begun:
        raise EventHasStarted("This event has started; its start and place are fixed.")


def _change_currency(event: Event, currency: str) -> None:
    if event.first_booked_at or event.seats_taken:
        raise CurrencyFrozen
    for kind in event.ticket_types.all():
        if not money.fits(kind.price, currency):
            message = f"{kind.name} costs {kind.price.normalize():f}, which {currency} cannot express."
            raise InvalidInput.field("currency", "too_many_decimals", message)


def _error(field: str, code: str, message: str) -> dict[str, Any]:
    return {"field": field, "code": code, "message": message}
