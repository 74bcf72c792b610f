"""Events for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from events.models import Event, Session
from events.services import create_event, create_session, publish_event
from users.models import CustomUser
from users.tests.factories import an_organizer

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
START = NOW + timedelta(days=30)


def a_draft(
    *,
    organizer: CustomUser | None = None,
    price: str | int = 0,
    ticket_types: list[dict[str, Any]] | None = None,
    now: datetime = NOW,
    **values: Any,
) -> Event:
    """Return a draft that is ready to be published, thirty days ahead of ``now``."""
    organizer = organizer or an_organizer()
    starts_at = values.pop("starts_at", now + timedelta(days=30))
    defaults = {
        "title": "Zero to API",
        "category": Event.Category.WORKSHOP,
        "venue_name": "Town Hall",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=3),
        "timezone": "Europe/Berlin",
    }
    kinds = ticket_types or [{"name": "Standard", "price": Decimal(price)}]
    return create_event(organizer=organizer, values=defaults | values, ticket_types=kinds, actor=organizer, now=now)


def an_event(*, now: datetime = NOW, **values: Any) -> Event:
    """Return a published event."""
    draft = a_draft(now=now, **values)
    return publish_event(event_id=draft.pk, actor=draft.organizer, now=now)


def a_session(event: Event, *, now: datetime = NOW, **values: Any) -> Session:
    """Return a session that lasts as long as its event."""
    defaults = {"title": "Opening", "starts_at": event.starts_at, "ends_at": event.ends_at}
    return create_session(event_id=event.pk, values=defaults | values, actor=event.organizer, now=now)
