"""Whether seats can be booked at this moment, and if not, why: pure functions over rows that were read.

The same rules stand in the guard of ``services/seats.py`` as SQL; ``tests/test_guard_agrees.py`` holds the two
together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from eventhub_config.shared.errors import DomainError
from events.models import Event, TicketType, on_view


class CannotBook(DomainError):
    """A reason why seats cannot be booked now. Its code is also an event's ``unavailable_reason``."""


class NotPublished(CannotBook):
    code = "not_published"
    title = "This event is not published."


class EventIsCancelled(CannotBook):
    code = "event_cancelled"
    title = "This event was cancelled."


class RegistrationClosed(CannotBook):
    code = "registration_closed"
    title = "Registration for this event is closed."


class SalesNotStarted(CannotBook):
    code = "sales_not_started"
    title = "Sales have not started yet."


class SalesEnded(CannotBook):
    code = "sales_ended"
    title = "Sales have ended."


class SoldOut(CannotBook):
    code = "sold_out"
    title = "There are not enough seats left."


class WaitlistOpen(CannotBook):
    code = "waitlist_open"
    title = "People are waiting for these seats; join the waitlist."


@dataclass(frozen=True)
class Offer:
    """An event and its ticket types as they were read together."""

    event: Event
    types: Mapping[int, TicketType]

    def on_view(self) -> list[TicketType]:
        """Return the types that everybody may see, in order."""
        return on_view(self.types.values())

    def on_sale(self, now: datetime) -> list[TicketType]:
        """Return those of them of which a seat can be booked now."""
        return [kind for kind in self.on_view() if _type_refusal(kind, 1, now) is None]


def why_closed(event: Event, now: datetime) -> type[CannotBook] | None:
    """Return why nothing at all can be booked, whatever the seats."""
    if event.status == Event.Status.CANCELLED:
        return EventIsCancelled
    if event.status == Event.Status.DRAFT:
        return NotPublished
    if event.status != Event.Status.PUBLISHED or now >= event.closes_at:
        return RegistrationClosed
    return None


def why_refused(offer: Offer, wanted: Mapping[int, int], now: datetime) -> type[CannotBook] | None:
    """Return why these seats (ticket type id -> how many) cannot be booked now, or None."""
    closed = why_closed(offer.event, now)
    if closed:
        return closed
    for type_id, seats in wanted.items():
        refusal = _type_refusal(offer.types[type_id], seats, now)
        if refusal:
            return refusal
    left = offer.event.seats_left
    if left is not None and left < sum(wanted.values()):
        return SoldOut
    return None


def unavailable_reason(event: Event, types: Iterable[TicketType], now: datetime) -> str | None:
    """Return the coded reason why not a single seat can be booked now, or None if one can."""
    offer = Offer(event, {kind.pk: kind for kind in types if kind.is_visible})
    closed = why_closed(event, now)
    if closed:
        return closed.code
    # The smallest booking of each type; the first type's reason stands for all.
    reasons = [why_refused(offer, {kind.pk: kind.min_per_booking}, now) for kind in offer.types.values()]
    if not reasons:
        return SalesNotStarted.code
    return None if None in reasons else next(reason.code for reason in reasons if reason)


def why_not_on_sale(kind: TicketType, now: datetime) -> type[CannotBook] | None:
    """Return why nothing of a ticket type is sold at this moment, however many seats there are."""
    if kind.sales_start_at and now < kind.sales_start_at:
        return SalesNotStarted
    if kind.sales_end_at and now >= kind.sales_end_at:
        return SalesEnded
    return None


def _type_refusal(kind: TicketType, seats: int, now: datetime) -> type[CannotBook] | None:
    not_on_sale = why_not_on_sale(kind, now)
    if not_on_sale:
        return not_on_sale
    if kind.waiting_count:
        return WaitlistOpen
    if kind.quantity is not None and kind.seats_taken + seats > kind.quantity:
        return SoldOut
    return None
