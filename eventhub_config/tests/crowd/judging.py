"""Holds the rows at rest against what the crowd was answered: nothing acknowledged is missing, nothing there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bookings.models import Booking, Ticket, Waitlist
from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, UNKNOWN, History
from eventhub_config.tests.crowd.watching import look
from events.models import Event


def judge(history: History) -> list[str]:
    """Return what the rows and the answers do not agree on."""
    judges = (
        bookings_stand,
        bookings_were_asked_for,
        cancellations_stand,
        acceptances_stand,
        offers_were_made_once,
        whoever_came_is_in,
        every_seat_is_sold_that_somebody_wants,
    )
    return [f"{judge.__name__}: {finding}" for judge in judges for finding in judge(history)]


def bookings_stand(history: History) -> Iterator[str]:
    """What was acknowledged is there, and unless somebody may have cancelled it, it stands or has run out unpaid."""
    told = {deed.made: deed for deed in history.of("book", ACKNOWLEDGED)}
    told |= {deed.made: deed for deed in history.of("accept", ACKNOWLEDGED)}
    given_back = {deed.subject for deed in history.of("cancel", ACKNOWLEDGED, UNKNOWN)}
    cancelled_events = set(Event.objects.filter(status="cancelled").values_list("pk", flat=True))
    rows = Booking.objects.in_bulk(list(told))
    for pk, deed in told.items():
        row = rows.get(pk)
        if row is None or (row.user_id, row.event_id) != (deed.user, deed.event):
            yield f"booking {pk} was acknowledged and is {'missing' if row is None else 'of somebody else'}"
        elif row.status == "cancelled" and pk not in given_back and row.event_id not in cancelled_events:
            yield f"booking {pk} is cancelled, and nobody asked for that"
        elif row.status == "expired" and not row.total_amount:
            yield f"booking {pk} is free and has expired"


def bookings_were_asked_for(history: History) -> Iterator[str]:
    """There are no more bookings of a person and event than they asked for: an unknown one may have been made, once."""
    asked = Counter(
        (deed.user, deed.event) for what in ("book", "accept") for deed in history.of(what, ACKNOWLEDGED, UNKNOWN)
    )
    by_themselves = Booking.objects.filter(invited_as="").values_list("user", "event")
    for key, made in Counter(by_themselves).items():
        if made > asked[key]:
            yield f"user {key[0]} has {made} bookings of event {key[1]} and asked for {asked[key]}"
    given = Booking.objects.exclude(invited_as="").count()
    if not history.count("give", ACKNOWLEDGED) <= given <= history.count("give", ACKNOWLEDGED, UNKNOWN):
        yield f"{given} bookings were given, {history.count('give', ACKNOWLEDGED)} acknowledged"


def cancellations_stand(history: History) -> Iterator[str]:
    cancelled = {deed.subject for deed in history.of("cancel", ACKNOWLEDGED)}
    for booking in Booking.objects.filter(pk__in=cancelled).exclude(status="cancelled"):
        yield f"the cancellation of booking {booking.pk} was acknowledged, and it is {booking.status}"


def acceptances_stand(history: History) -> Iterator[str]:
    accepted = {deed.subject: deed.made for deed in history.of("accept", ACKNOWLEDGED)}
    rows = dict(Waitlist.objects.filter(status="accepted").values_list("pk", "booking"))
    for entry, booking in accepted.items():
        if rows.get(entry) != booking:
            yield f"entry {entry} was accepted as booking {booking}; the rows say {rows.get(entry)}"


def offers_were_made_once(_history: History) -> Iterator[str]:
    offers = StatusChange.objects.filter(subject_type="bookings.waitlist", to_status="offered")
    for entry, times in Counter(offers.values_list("subject_id", flat=True)).items():
        if times > 1:
            yield f"entry {entry} was offered seats {times} times"


def whoever_came_is_in(history: History) -> Iterator[str]:
    """Each ticket was let in as often as devices were told so, give or take what nobody was told."""
    told = Counter(deed.subject for deed in history.of("check in", ACKNOWLEDGED))
    unsure = {deed.subject for what in ("check in", "undo check-in") for deed in history.of(what, UNKNOWN)}
    undone = Counter(deed.subject for deed in history.of("undo check-in", ACKNOWLEDGED))
    for ticket in Ticket.objects.filter(pk__in=set(told) - unsure):
        if told[ticket.pk] > undone[ticket.pk] and ticket.status == "valid":
            yield f"ticket {ticket.pk} was let in {told[ticket.pk]} times, let out {undone[ticket.pk]}, and is not in"
    came = StatusChange.objects.filter(subject_type="bookings.ticket", to_status="checked_in")
    went = StatusChange.objects.filter(subject_type="bookings.ticket", from_status="checked_in", to_status="valid")
    let_out = Counter(went.values_list("subject_id", flat=True))
    for pk, times in Counter(came.values_list("subject_id", flat=True)).items():
        if times > let_out[pk] + 1:
            yield f"ticket {pk} was let in {times} times and let out {let_out[pk]} times"


def every_seat_is_sold_that_somebody_wants(_history: History) -> Iterator[str]:
    for kind in look():
        if kind.seats_are_idle:
            yield f"type {kind.pk} has {kind.left} seats left, and {kind.waiting} parties wait"
