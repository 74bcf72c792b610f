"""What happens at the bigger events of the demo world, and what one of them was called before."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from events.models import Event
from events.services import create_session

# Present title -> the first one: its address goes on leading to the event.
FORMER_TITLES = {"Stockholm Python Evening": "Stockholm Python Night"}


class Talk(NamedTuple):
    """A session by the clock: on which of the event's days, from when, and for how many minutes."""

    day: int
    at: str
    minutes: int
    title: str
    speaker: str = ""
    room: str = ""
    about: str = ""
    capacity: int | None = None


PROGRAMMES: Mapping[str, tuple[Talk, ...]] = {
    "Berlin API Conference": (
        Talk(1, "09:00", 45, "Opening: Interfaces Outlive Us", "Olga Brandt", "Press Hall", capacity=150),
        Talk(1, "10:00", 60, "Errors a Program Can Read", "Mira Okafor", "Press Hall"),
        Talk(1, "10:00", 60, "Pagination Without Gaps", "Jonas Lind", "Type Room", capacity=40),
        Talk(1, "11:15", 60, "Idempotency in Practice", "Mira Okafor", "Press Hall",
             "What happens to the money when the connection is lost."),
        Talk(1, "11:15", 60, "Versioning Without Versions", "Priya Raman", "Type Room", capacity=40),
        Talk(1, "12:15", 75, "Lunch"),
        Talk(1, "13:30", 90, "Workshop: OpenAPI to a Client", "Jonas Lind & Priya Raman", "Type Room", capacity=40),
        Talk(1, "13:30", 45, "Caching What Changes", "Tomás Ferreira", "Press Hall"),
        Talk(1, "16:00", 60, "Panel: Who Owns the Contract?", "Mira Okafor, Tomás Ferreira", "Press Hall"),
        Talk(2, "09:30", 60, "Time Zones, and How to Survive Them", "Yuki Tanaka", "Press Hall"),
        Talk(2, "09:30", 60, "Rate Limits People Accept", "Jonas Lind", "Type Room", capacity=40),
        Talk(2, "11:00", 60, "Search That Forgives", "Tomás Ferreira", "Press Hall"),
        Talk(2, "13:30", 120, "Open Space", room="Type Room", capacity=40),
        Talk(2, "15:30", 45, "Closing", "Olga Brandt", "Press Hall"),
    ),
    "PostgreSQL for Application Developers": (
        Talk(1, "09:00", 90, "Indexes That Are Used", "Olga Brandt", "Lab"),
        Talk(1, "10:45", 75, "Locks, and Who Waits for Whom", "Olga Brandt", "Lab"),
        Talk(1, "13:00", 90, "Reading Plans", "Olga Brandt", "Lab"),
        Talk(1, "14:45", 105, "Your Own Slow Query", "Olga Brandt", "Lab", "Bring one; we make it fast together."),
    ),
    "Stockholm Python Evening": (
        Talk(1, "18:15", 25, "Type Hints for the Tired", "Elsa Berg", "Main Room"),
        Talk(1, "18:45", 25, "A Service in One File", "Oscar Nyström", "Main Room"),
        Talk(1, "19:15", 25, "Things I Unlearnt", "Amir Haddad", "Main Room"),
        Talk(1, "19:45", 60, "Food", room="Kitchen"),
    ),
    "Autumn Architecture Retreat": (
        Talk(1, "10:30", 120, "Drawing What There Is", "Olga Brandt", "Boat House"),
        Talk(1, "15:00", 120, "Walk and Talk: Boundaries"),
        Talk(2, "09:30", 180, "Decisions Worth Writing Down", "Olga Brandt", "Boat House"),
        Talk(2, "15:00", 150, "Katas in Small Groups", "TBA", "Boat House"),
        Talk(3, "09:30", 150, "Taking It Home", "Olga Brandt", "Boat House"),
    ),
    "Django Deep Dive": (
        Talk(1, "09:00", 180, "The ORM, From the SQL Up", "Olga Brandt", "Classroom"),
        Talk(1, "13:00", 210, "Transactions and Races", "Olga Brandt", "Classroom"),
        Talk(2, "09:00", 180, "Admin, Made Yours", "Olga Brandt", "Classroom"),
        Talk(2, "13:00", 210, "Background Work", "Olga Brandt", "Classroom"),
        Talk(3, "09:00", 180, "Deploying Without Downtime", "Olga Brandt", "Classroom"),
    ),
    "Introduction to Celery": (
        Talk(1, "09:00", 120, "What a Queue Promises", "Olga Brandt", "Classroom"),
        Talk(1, "11:15", 60, "Retries", "Olga Brandt", "Classroom"),
        Talk(1, "13:15", 120, "Rows Instead of Messages", "Olga Brandt", "Classroom"),
    ),
}  # fmt: skip


def add_programme(event: Event, *, now: datetime) -> None:
    """Plan the sessions of a demo event, if it has a programme."""
    zone = ZoneInfo(event.timezone)
    first_day = event.starts_at.astimezone(zone).date()
    for position, talk in enumerate(PROGRAMMES.get(event.title, ())):
        day = first_day + timedelta(days=talk.day - 1)
        starts_at = datetime.combine(day, time.fromisoformat(talk.at), zone).astimezone(UTC)
        create_session(
            event_id=event.pk,
            values={
                "title": talk.title,
                "description": talk.about,
                "speaker": talk.speaker,
                "room": talk.room,
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(minutes=talk.minutes),
                "capacity": talk.capacity,
                "position": position,
            },
            actor=event.organizer,
            now=now,
        )
