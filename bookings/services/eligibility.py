"""What one person could book of an event at this moment, and if nothing, why: as ``book_seats`` would decide."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Sum

from bookings.models import Booking, Ticket, Waitlist
from bookings.services.booking import default_type, why_not_booked
from bookings.services.standing import Standing, read_standing
from bookings.services.waitlist import positions, why_not_joined
from eventhub_config.shared.errors import DomainError, NotVisible
from events.availability import CannotBook, Offer, SoldOut, WaitlistOpen
from events.models import Event, TicketType
from events.services import read_offer
from users.models import CustomUser


class SignInRequired(DomainError):
    code = "not_authenticated"
    status = 401
    title = "Sign in first."


@dataclass(frozen=True)
class TypeEligibility:
    """What the person could book of one ticket type: ``max_seats`` at most in one booking, 0 if there is a refusal."""

    kind: TicketType
    refusal: DomainError | None
    seats_left: int | None
    max_seats: int
    can_join_waitlist: bool


@dataclass(frozen=True)
class Eligibility:
    """What the person could book; ``refusal`` is what a booking of the event alone would be refused with."""

    event: Event
    refusal: DomainError | None
    types: list[TypeEligibility]
    booking: Booking | None
    waitlist_entry: Waitlist | None
    position: int | None
    online_url: str | None


def read_eligibility(*, event_id: int, user: CustomUser | None, now: datetime) -> Eligibility:
    """Return what this person (None: nobody who has signed in) could book of an event. Three statements to five,
    and two more for those who wait.

    :raises NotVisible: there is no such event for them.
    """
    offer = read_offer(event_id)
    event = offer.event
    if not event.published_at and (user is None or not event.is_run_by(user)):
        raise NotVisible
    standing = read_standing(user, event_id, now=now, by_clock=True) if user else Standing()
    kinds = [_of_type(offer, kind, standing, user, now) for kind in offer.on_view()]
    if any(isinstance(found.refusal, SoldOut) for found in kinds):
        # By the clock, seats whose time to pay has run out are free: a booking would take them back first.
        offer = _without_overdue_holds(offer, now)
        kinds = [_of_type(offer, kind, standing, user, now) for kind in offer.on_view()]
    entry = Waitlist.objects.active().filter(user=user, event=event).first() if standing.waits else None
    return Eligibility(
        event=event,
        refusal=_in_words_for(entry, _of_event(offer, kinds, standing, now)),
        types=kinds,
        booking=standing.booking,
        waitlist_entry=entry,
        position=positions([entry]).get(entry.pk) if entry else None,
        online_url=_online_url(event, standing, user),
    )


def _of_type(
    offer: Offer, kind: TicketType, standing: Standing, user: CustomUser | None, now: datetime
) -> TypeEligibility:
    refusal = why_not_booked(offer, {kind.pk: kind.min_per_booking}, standing, now)
    if refusal is None and user is None:
        refusal = SignInRequired()
    left = min((count for count in (offer.event.seats_left, kind.seats_left) if count is not None), default=None)
    limits = [kind.max_per_booking, settings.MAX_SEATS_PER_BOOKING, *([] if left is None else [left])]
    can_join = user is not None and why_not_joined(offer, kind, kind.min_per_booking, standing, now) is None
    return TypeEligibility(kind, refusal, left, 0 if refusal else min(limits), can_join)


def _of_event(offer: Offer, kinds: list[TypeEligibility], standing: Standing, now: datetime) -> DomainError | None:
    if any(found.refusal is None for found in kinds):
        return None
    try:
        chosen = default_type(offer, now)
    except CannotBook as refusal:
        return refusal
    return next(found.refusal for found in kinds if found.kind.pk == chosen.pk)


def _in_words_for(entry: Waitlist | None, refusal: DomainError | None) -> DomainError | None:
    """Return the same refusal; to whoever waits for seats already, it does not say to queue for them."""
    if entry is None or not isinstance(refusal, SoldOut | WaitlistOpen):
        return refusal
    if entry.status == Waitlist.Status.OFFERED:
        return type(refusal)("Seats are held for you. Accept the offer, and they are yours.")
    return type(refusal)("You are on the waitlist. We will tell you as soon as it is your turn.")


def _without_overdue_holds(offer: Offer, now: datetime) -> Offer:
    """Return the offer as it will be once the holds and offers that have run out are closed."""
    if any(kind.waiting_count for kind in offer.types.values()):
        return offer  # what they held goes to those who wait
    holds = Ticket.objects.of_event(offer.event.pk).filter(
        booking__status=Booking.Status.PENDING, booking__expires_at__lte=now
    )
    offers = Waitlist.objects.filter(event=offer.event, status=Waitlist.Status.OFFERED, offer_expires_at__lte=now)
    overdue = [
        holds.order_by().values_list("ticket_type").annotate(freed=Count("pk")),
        offers.order_by().values_list("ticket_type").annotate(freed=Sum("seats")),
    ]
    freed: Counter[int] = Counter()
    for type_id, seats in overdue[0].union(overdue[1], all=True):
        freed[type_id] += seats
    offer.event.seats_taken -= freed.total()
    for kind in offer.types.values():
        kind.seats_taken -= freed[kind.pk]
    return offer


def _online_url(event: Event, standing: Standing, user: CustomUser | None) -> str | None:
    """Return the link to join by, for those who may have it."""
    if user is None or not event.online_url:
        return None
    if event.is_run_by(user):
        return event.online_url
    confirmed = standing.booking is not None and standing.booking.status == Booking.Status.CONFIRMED
    return event.online_url if confirmed and event.status != Event.Status.CANCELLED else None
