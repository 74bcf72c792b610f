"""Events to try Event Hub with: one for each thing that an event can be.

They lie around the moment of the first load. Each is known by its organizer and title; what exists stays as it is, so
that loading again adds nothing, however much later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from eventhub_config.shared.transactions import unit_of_work
from events.models import Event
from events.services import advance_event, create_event, publish_event
from users.demo import ACTOR
from users.models import CustomUser
from users.services import set_organizer_status

BERLIN = {"city": "Berlin", "country": "DE", "timezone": "Europe/Berlin"}
ACADEMY = BERLIN | {
    "venue_name": "Brandt Academy",
    "address": "Musterstraße 1, 10115 Berlin",
    "latitude": Decimal("52.532000"),
    "longitude": Decimal("13.384900"),
}
HARBOUR = {
    "venue_name": "Harbour House",
    "address": "Exempelgatan 7, 111 30 Stockholm",
    "city": "Stockholm",
    "country": "SE",
    "timezone": "Europe/Stockholm",
}
ONLINE = {"format": Event.Format.ONLINE, "attendance_rule": Event.AttendanceRule.CONFIRMED}


@dataclass(frozen=True)
class DemoEvent:
    title: str
    organizer: str
    starts_in_days: int
    hour: int
    lasts: timedelta
    category: Event.Category
    about: Mapping[str, Any]
    types: tuple[Mapping[str, Any], ...] = ({"name": "Standard", "price": Decimal(0)},)
    created_days_ago: int = 30
    published: bool = True
    # Days before the start.
    refund_until: int | None = None
    deadline: int | None = None
    sales_start_in_days: int | None = None
    # Cancelled by ``payments.demo``, once its bookings have been paid.
    cancelled_because: str = ""
    skills: tuple[str, ...] = field(default=())

    def starts_at(self, now: datetime) -> datetime:
        """Return the start: an hour by the clock of the event's place."""
        zone = ZoneInfo(self.about["timezone"])
        day = (now + timedelta(days=self.starts_in_days)).astimezone(zone).date()
        return datetime.combine(day, time(self.hour), zone).astimezone(UTC)


def one_price(price: str, **more: Any) -> tuple[Mapping[str, Any], ...]:
    return ({"name": "Standard", "price": Decimal(price), **more},)


EVENTS = (
    DemoEvent(
        "PostgreSQL for Application Developers", "olga", 21, 9, timedelta(hours=8), Event.Category.WORKSHOP,
        ACADEMY | {
            "summary": "Indexes, locks and query plans for people who write the application.",
            "description": "A day at the keyboard. Bring a laptop; the database comes with us.",
            "capacity": 16, "tax_rate": Decimal(19), "hours": Decimal("7.5"),
            "refund_policy": Event.RefundPolicy.PARTIAL, "refund_percent": 50,
        },
        types=one_price("240"), refund_until=7, skills=("PostgreSQL", "SQL"),
    ),
    DemoEvent(
        "Stockholm Python Evening", "oscar", 9, 18, timedelta(hours=3), Event.Category.MEETUP,
        HARBOUR | {
            "summary": "Three short talks, then food.",
            "description": "Everybody is welcome, from the first script to the hundredth service.",
            "capacity": 60, "currency": "SEK",
        },
        skills=("Python",),
    ),
    DemoEvent(
        "Berlin API Conference", "olga", 45, 9, timedelta(days=1, hours=9), Event.Category.CONFERENCE,
        ACADEMY | {
            "venue_name": "Old Print Works", "address": "Beispielplatz 3, 10997 Berlin",
            "summary": "Two days on interfaces that last.",
            "description": "Two tracks, forty talks, and a hall to meet in. Join on site or online.",
            "format": Event.Format.HYBRID, "online_url": "https://live.demo.example/api-conference",
            "capacity": 150, "tax_rate": Decimal(19), "hours": Decimal(14),
        },
        types=(
            {"name": "Early bird", "price": Decimal(149), "quantity": 3, "max_per_booking": 1},
            {"name": "Regular", "price": Decimal(249), "quantity": 100},
            {"name": "Student", "price": Decimal(49), "quantity": 20, "max_per_booking": 1,
             "description": "With a valid student card."},
            {"name": "Online", "price": Decimal(79)},
            {"name": "Speaker", "price": Decimal(0), "quantity": 10, "is_visible": False},
        ),
        skills=("API design", "HTTP"),
    ),
    DemoEvent(
        "Master Class: Reading a Query Plan", "olga", 14, 10, timedelta(hours=6), Event.Category.MASTER_CLASS,
        ACADEMY | {
            "summary": "Four seats, one whiteboard.",
            "description": "Bring a slow query of your own; we leave with a fast one.",
            "capacity": 4, "tax_rate": Decimal(19), "hours": Decimal(5),
        },
        types=one_price("390"), skills=("PostgreSQL", "Performance"),
    ),
    DemoEvent(
        "Open Source Office Hours", "oscar", 3, 17, timedelta(hours=1), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "Ask maintainers anything.", "online_url": "https://live.demo.example/office-hours",
            "timezone": "Europe/Stockholm", "hours": Decimal(1),
        },
    ),
    DemoEvent(
        "Designing APIs People Enjoy", "olga", 12, 16, timedelta(hours=2), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "What makes an interface a pleasure, with examples to take home.",
            "online_url": "https://live.demo.example/enjoyable-apis",
            "timezone": "Europe/Berlin", "tax_rate": Decimal(19), "hours": Decimal(2),
        },
        types=one_price("35"), skills=("API design",),
    ),
    DemoEvent(
        "Helsinki Data Meetup", "oscar", 30, 18, timedelta(hours=2), Event.Category.MEETUP,
        {
            "summary": "Small talks about large tables.", "venue_name": "Market Hall Library",
            "address": "Esimerkkikatu 5, 00100 Helsinki", "city": "Helsinki", "country": "FI",
            "timezone": "Europe/Helsinki", "capacity": 25,
        },
        deadline=2,
    ),
    DemoEvent(
        "Two Time Zones, One Team", "oscar", 25, 19, timedelta(hours=2), Event.Category.WEBINAR,
        ONLINE | {
            "summary": "Working between Tokyo and Europe.", "online_url": "https://live.demo.example/two-time-zones",
            "timezone": "Asia/Tokyo", "currency": "JPY", "tax_rate": Decimal(10), "capacity": 500,
            "refund_policy": Event.RefundPolicy.NONE,
        },
        types=one_price("3000"),
    ),
    DemoEvent(
        "Autumn Architecture Retreat", "olga", 120, 10, timedelta(days=2, hours=6), Event.Category.TRAINING,
        ACADEMY | {
            "venue_name": "Lake House", "address": "Am Mustersee 12, 15377 Buckow", "city": "Buckow",
            "summary": "Three days by the lake. Sales begin soon.", "capacity": 24, "tax_rate": Decimal(19),
        },
        types=one_price("890"), sales_start_in_days=20, skills=("Architecture",),
    ),
    DemoEvent(
        "Testing Without Tears", "olga", 60, 9, timedelta(hours=8), Event.Category.WORKSHOP,
        ACADEMY | {"summary": "A draft, complete: it can be published.", "capacity": 20, "tax_rate": Decimal(19)},
        types=one_price("180"), created_days_ago=3, published=False, skills=("Testing",),
    ),
    DemoEvent(
        "Winter Gathering", "oscar", 90, 18, timedelta(hours=4), Event.Category.MEETUP,
        {"summary": "A draft without a place: publishing it is refused.", "timezone": "Europe/Stockholm"},
        created_days_ago=2, published=False,
    ),
    DemoEvent(
        "Django Deep Dive", "olga", -1, 9, timedelta(days=2, hours=8), Event.Category.TRAINING,
        ACADEMY | {
            "summary": "Three days below the surface. Going on right now.", "capacity": 12,
            "tax_rate": Decimal(19), "hours": Decimal(21),
        },
        types=one_price("680"), created_days_ago=50, skills=("Django", "Python"),
    ),
    DemoEvent(
        "Introduction to Celery", "olga", -20, 9, timedelta(hours=7), Event.Category.WORKSHOP,
        ACADEMY | {
            "summary": "Queues, retries, and what to keep in rows instead.", "capacity": 18,
            "tax_rate": Decimal(19), "hours": Decimal(6),
        },
        types=one_price("120"), created_days_ago=60, skills=("Celery", "Python"),
    ),
    DemoEvent(
        "Engineers by the Sea", "oscar", -45, 17, timedelta(hours=5), Event.Category.MEETUP,
        HARBOUR | {"summary": "An evening on the quay.", "capacity": 40, "currency": "SEK"},
        created_days_ago=90,
    ),
    DemoEvent(
        "Kubernetes in a Day", "olga", 18, 9, timedelta(hours=8), Event.Category.TRAINING,
        ACADEMY | {"summary": "From a container to a cluster.", "capacity": 16, "tax_rate": Decimal(19)},
        types=one_price("290"), cancelled_because="The trainer is ill.", skills=("Kubernetes",),
    ),
)  # fmt: skip


def load(*, now: datetime) -> None:
    """Make the events of ``EVENTS`` that are missing. Those of the past are still to be started and completed."""
    there = demo_events()
    missing = [plan for plan in EVENTS if plan.title not in there]
    if missing:
        organizers = {user.username: user for user in CustomUser.objects.filter(user_type="organizer")}
        for plan in missing:
            if plan.organizer in organizers:
                _make(plan, organizers[plan.organizer], now)


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
def _make(plan: DemoEvent, organizer: CustomUser, now: datetime) -> None:
    created_at = now - timedelta(days=plan.created_days_ago)
    starts_at = plan.starts_at(now)
    values: dict[str, Any] = {
        **plan.about,
        "title": plan.title,
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
    if not plan.published:
        return
    if not organizer.may_publish:
        set_organizer_status(user_id=organizer.pk, organizer_status="approved", actor=ACTOR, now=created_at)
    publish_event(event_id=event.pk, actor=organizer, now=created_at + timedelta(days=1))
