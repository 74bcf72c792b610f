"""What must be true of events."""

from collections.abc import Iterator

from django.db.models import F, Q

from eventhub_config.shared.integrity import Check
from events.models import Event, TicketType


def nothing_is_oversold() -> Iterator[tuple[str, str]]:
    for event in Event.objects.filter(seats_taken__gt=F("capacity")).order_by("pk"):
        yield f"event {event}", f"{event.seats_taken} of {event.capacity} seats are taken"
    for kind in TicketType.objects.filter(seats_taken__gt=F("quantity")).order_by("pk"):
        yield f"ticket type {kind}", f"{kind.seats_taken} of {kind.quantity} seats are taken"


def visibility_follows_the_state() -> Iterator[tuple[str, str]]:
    shown = Q(status=Event.Status.DRAFT, published_at__isnull=False)
    hidden = Q(status__in=["published", "ongoing", "completed"], published_at__isnull=True)
    for event in Event.objects.filter(shown | hidden).order_by("pk"):
        yield f"event {event}", f"is {event.status}, and published_at is {event.published_at}"


CHECKS = [
    Check("not_oversold", "Seats taken never exceed capacity or quantity.", nothing_is_oversold),
    Check("visibility", "Drafts are hidden, published events are not.", visibility_follows_the_state),
]
