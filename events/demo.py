"""Events to try Event Hub with, as ``demo_events.py`` describes them.

They lie around the moment of the first load. Each is known by its organizer and title; what exists stays as it is, so
that loading again adds nothing, however much later.
"""

from datetime import datetime, timedelta
from typing import Any

from eventhub_config.shared.transactions import unit_of_work
from events.demo_covers import add_cover
from events.demo_events import EVENTS, DemoEvent
from events.demo_programme import FORMER_TITLES, add_programme
from events.models import Event
from events.services import advance_event, create_event, publish_event, update_event
from users.demo import ACTOR
from users.models import CustomUser
from users.services import set_organizer_status


def load(*, now: datetime) -> None:
    """Make the events of ``EVENTS`` that are missing. Those of the past are still to be started and completed."""
    there = demo_events()
    missing = [plan for plan in EVENTS if plan.title not in there]
    if missing:
        organizers = {user.username: user for user in CustomUser.objects.filter(user_type="organizer")}
        for plan in missing:
            if plan.organizer in organizers:
                event = _make(plan, organizers[plan.organizer], now)
                if plan.published:
                    add_cover(event, now=now)


def demo_events() -> dict[str, Event]:
    """Return the demo's events by title."""
    of = {plan.title: plan.organizer for plan in EVENTS}
    events = Event.objects.select_related("organizer").filter(title__in=of, organizer__username__in=set(of.values()))
    return {event.title: event for event in events.order_by("-pk") if event.organizer.username == of[event.title]}


def let_time_pass(*, now: datetime) -> None:
    """Start and complete the demo's events whose time has come, each at its moment."""
    for event in demo_events().values():
        if event.status == Event.Status.PUBLISHED and event.starts_at <= now:
            advance_event(event_id=event.pk, now=event.starts_at)
        if event.status in {Event.Status.PUBLISHED, Event.Status.ONGOING} and event.ends_at <= now:
            advance_event(event_id=event.pk, now=event.ends_at)


@unit_of_work
def _make(plan: DemoEvent, organizer: CustomUser, now: datetime) -> Event:
    created_at = now - timedelta(days=plan.created_days_ago)
    starts_at = plan.starts_at(now)
    values: dict[str, Any] = {
        **plan.about,
        "title": FORMER_TITLES.get(plan.title, plan.title),
        "category": plan.category,
        "skills": list(plan.skills),
        "starts_at": starts_at,
        "ends_at": starts_at + plan.lasts,
    }
    if plan.refund_until is not None:
        values["refund_until"] = starts_at - timedelta(days=plan.refund_until)
    if plan.deadline is not None:
        values["registration_deadline"] = starts_at - timedelta(days=plan.deadline)
    types: list[dict[str, Any]] = [dict(kind) for kind in plan.types]
    if plan.sales_start_in_days is not None:
        types = [kind | {"sales_start_at": now + timedelta(days=plan.sales_start_in_days)} for kind in types]
    event = create_event(organizer=organizer, values=values, ticket_types=types, actor=organizer, now=created_at)
    if plan.published:
        event = _publish(event, plan, organizer, created_at + timedelta(days=1))
    add_programme(event, now=created_at)
    return event


def _publish(event: Event, plan: DemoEvent, organizer: CustomUser, now: datetime) -> Event:
    if not organizer.may_publish:
        set_organizer_status(user_id=organizer.pk, organizer_status="approved", actor=ACTOR, now=now)
    event = publish_event(event_id=event.pk, actor=organizer, now=now)
    if event.title != plan.title:
        event = update_event(event_id=event.pk, changes={"title": plan.title}, actor=organizer, now=now)
    return event
