"""The covers of the demo's events; drafts are shown without one."""

from datetime import datetime

from events.models import Event
from events.services import set_cover
from users.demo import ACTOR
from users.demo_art import draw

COVER_SIZE = (640, 360)


def add_cover(event: Event, *, now: datetime) -> None:
    set_cover(
        event_id=event.pk,
        content=draw(event.title, COVER_SIZE),
        uploaded_by=event.organizer_id,
        of_ours=True,
        actor=ACTOR,
        now=now,
    )
