"""What must be true of events."""

from collections.abc import Iterator
from itertools import groupby

from django.db.models import Exists, F, OuterRef, Q

from eventhub_config.shared.integrity import CHUNK, SWEPT_WITHIN, Check, moment, wrong
from eventhub_config.shared.models import StoredImage
from events.models import Event, EventSearch, EventSlug, Session, TicketType
from events.services import searching
from events.services.programme import Window, clashes


def nothing_is_oversold() -> Iterator[tuple[str, str]]:
    for event in wrong(Event.objects.all(), Q(seats_taken__gt=F("capacity"))):
        yield f"event {event}", f"{event.seats_taken} of {event.capacity} seats are taken"
    for kind in wrong(TicketType.objects.all(), Q(seats_taken__gt=F("quantity"))):
        yield f"ticket type {kind}", f"{kind.seats_taken} of {kind.quantity} seats are taken"


def visibility_follows_the_state() -> Iterator[tuple[str, str]]:
    shown = Q(status=Event.Status.DRAFT, published_at__isnull=False)
    hidden = Q(status__in=["published", "ongoing", "completed"], published_at__isnull=True)
    for event in wrong(Event.objects.all(), shown | hidden):
        yield f"event {event}", f"is {event.status}, and published_at is {event.published_at}"


def search_follows_the_events() -> Iterator[tuple[str, str]]:
    for event in wrong(Event.objects.filter(~Exists(EventSearch.objects.filter(event=OuterRef("pk"))))):
        yield f"event {event}", "cannot be found by words: it has no search document"
    documents = EventSearch.objects.filter(stale_since=None).select_related("event__organizer")
    for document in documents.prefetch_related("event__sessions").order_by("pk").iterator(chunk_size=CHUNK):
        event = document.event
        sessions = sorted(event.sessions.all(), key=lambda session: (session.starts_at, session.position, session.pk))
        if document.words != searching.document_of(event, sessions).text:
            yield f"event {event}", "is found by other words than it has"
    # What is stale is left out above: a sweep writes it anew, soon.
    overdue = EventSearch.objects.filter(stale_since__lt=moment() - SWEPT_WITHIN).select_related("event")
    for document in wrong(overdue):
        yield f"event {document.event}", f"its words are out of date since {document.stale_since}"


def prices_are_those_on_view() -> Iterator[tuple[str, str]]:
    for event in Event.objects.prefetch_related("ticket_types").order_by("pk").iterator(chunk_size=CHUNK):
        lowest = min((kind.price for kind in event.types_on_view()), default=None)
        if event.lowest_price != lowest:
            yield f"event {event}", f"lists compare {event.lowest_price}, the lowest price is {lowest}"


def slugs_lead_to_their_event() -> Iterator[tuple[str, str]]:
    own = EventSlug.objects.filter(event=OuterRef("pk"), slug=OuterRef("slug"))
    for event in wrong(Event.objects.filter(~Exists(own))):
        yield f"event {event}", f"the slug {event.slug} does not lead to it"


def programmes_can_take_place() -> Iterator[tuple[str, str]]:
    sessions = Session.objects.select_related("event").order_by("event_id", "starts_at", "pk")
    for event, group in groupby(sessions.iterator(chunk_size=CHUNK), key=lambda session: session.event):
        window, together = Window.of(event), list(group)
        for session in together:
            if not window.holds(session):
                yield f"session {session}", f"lies outside of event {event}"
        for clash in clashes(together):
            yield f"session {clash.refused}", f"has {clash.name} at the same time as session {clash.other}"


def covers_are_covers() -> Iterator[tuple[str, str]]:
    rows = Event.objects.exclude(cover=None).order_by("pk")
    columns = rows.values_list("pk", "cover__purpose", "cover__discarded_at")
    for pk, purpose, discarded_at in columns.iterator(chunk_size=CHUNK):
        if purpose != StoredImage.Purpose.COVER:
            yield f"event {pk}", f"has a cover that is an {purpose}"
        if discarded_at:
            yield f"event {pk}", "has a cover that is discarded"


def events_begin_and_end() -> Iterator[tuple[str, str]]:
    """Look for what the clock should have done some minutes ago."""
    before = moment() - SWEPT_WITHIN
    began = Q(status=Event.Status.PUBLISHED, starts_at__lt=before)
    ended = Q(status=Event.Status.ONGOING, ends_at__lt=before)
    edited = Q(updated_at__gte=before) | Q(status_changed_at__gte=before)  # a moment ago: it may be that
    for event in wrong(Event.objects.all(), (began | ended) & ~edited):
        yield f"event {event}", f"is {event.status}; it lasts from {event.starts_at} to {event.ends_at}"


CHECKS = [
    Check(
        "not_oversold",
        "Seats taken never exceed capacity or quantity.",
        nothing_is_oversold,
        "Find more room, or talk to whoever booked last. Then see how the constraint came to be missing.",
    ),
    Check(
        "search",
        "Every event is found by the words it has.",
        search_follows_the_events,
        "Save the event once in the back office: its document is written anew.",
    ),
    Check(
        "lowest_price",
        "Lists compare the lowest price on view.",
        prices_are_those_on_view,
        "Save one of the event's ticket types in the back office: the price is drawn anew.",
    ),
    Check(
        "programme",
        "Sessions lie within their events, no room or speaker twice at once.",
        programmes_can_take_place,
        "Ask the organizer to move one of them.",
    ),
    Check(
        "slugs",
        "Every event's slug leads to it.",
        slugs_lead_to_their_event,
        "Links to the event lead nowhere. Add the row, unless another event has it.",
    ),
    Check(
        "visibility",
        "Drafts are hidden, published events are not.",
        visibility_follows_the_state,
        "The event's history says which of both it should be.",
    ),
    Check(
        "covers",
        "A cover is a picture meant to be one, and not discarded.",
        covers_are_covers,
        "Have the cover uploaded again.",
    ),
    Check(
        "events_move_on",
        "Events begin and end with their time.",
        events_begin_and_end,
        "See whether worker and beat are running (/readyz); advance_event_status does this.",
    ),
]
