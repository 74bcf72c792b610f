"""What happens when and where at an event: sessions within its time, no room and no speaker twice at once.

Every rule is decided under the event's lock, on which all sessions of an event wait.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError, InvalidInput, NotVisible
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event, Session
from events.services import searching
from events.services.editing import require_editable, touch
from events.services.seats import lock_event
from events.wall_clock import Shift, span_text
from users.models import comparison_key

MOST_SESSIONS = 500


class RoomTaken(DomainError):
    code = "room_taken"
    title = "Another session is in this room at that time."


class SpeakerTaken(DomainError):
    code = "speaker_taken"
    title = "Somebody speaks in another session at that time."


class TooManySessions(DomainError):
    code = "too_many_sessions"
    title = f"An event has {MOST_SESSIONS} sessions at most."


class SessionsOutsideEvent(DomainError):
    code = "sessions_outside_event"
    title = "Sessions would lie outside of the event."


EDITABLE = frozenset({"title", "description", "speaker", "room", "starts_at", "ends_at", "capacity", "position"})
# Between the names of several speakers.
_BETWEEN_NAMES = re.compile(r"[,;&]|\sand\s", re.IGNORECASE)
# Written where nothing is settled yet: that may be in many places at once.
_UNSETTLED = frozenset({"", "?", "-", "n.n.", "n. n.", "nn", "tba", "tbc", "tbd", "to be announced"})


class Window(NamedTuple):
    """When an event takes place, and by which clocks."""

    starts_at: datetime
    ends_at: datetime
    timezone: str

    @classmethod
    def of(cls, event: Event) -> "Window":
        return cls(event.starts_at, event.ends_at, event.timezone)

    def holds(self, session: Session) -> bool:
        return self.starts_at <= session.starts_at < session.ends_at <= self.ends_at


@unit_of_work
def create_session(*, event_id: int, values: Mapping[str, Any], actor: Actor, now: datetime) -> Session:
    """Add a session to an event's programme.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    :raises InvalidInput: it would lie outside of the event, or end before it starts.
    :raises RoomTaken: another session is there at that time.
    :raises SpeakerTaken: one of its speakers is elsewhere at that time.
    :raises TooManySessions: there are ``MOST_SESSIONS`` already.
    """
    event = lock_event(event_id)
    require_editable(event, actor)
    if event.sessions.count() >= MOST_SESSIONS:
        raise TooManySessions
    session = Session(event=event, **{name: value for name, value in values.items() if name in EDITABLE})
    _check(event, session)
    session.save()
    _edited(event, now)
    return session


@unit_of_work
def update_session(*, session_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Session:
    """Edit a session.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    :raises InvalidInput: it would lie outside of the event, or end before it starts.
    :raises RoomTaken: another session is there at that time.
    :raises SpeakerTaken: one of its speakers is elsewhere at that time.
    """
    event, session = _locked(session_id, actor)
    for name, value in changes.items():
        if name in EDITABLE:
            setattr(session, name, value)
    _check(event, session)
    session.save()
    _edited(event, now)
    return session


@unit_of_work
def delete_session(*, session_id: int, actor: Actor, now: datetime) -> None:
    """Take a session out of the programme.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: the event is completed or cancelled.
    """
    event, session = _locked(session_id, actor)
    session.delete()
    _edited(event, now)


def follow_event(event: Event, *, before: Window) -> None:
    """Move the programme along with its event, or hold the event to it. The caller holds the event's lock.

    If its start and its end were moved by as much on the clock, so is every session. Else all of them must still fit.

    :raises SessionsOutsideEvent: one does not; it is named.
    :raises RoomTaken: two sessions meet, as the clocks show their hour twice on the other day.
    :raises SpeakerTaken: the same.
    """
    after = Window.of(event)
    if before[:2] == after[:2]:
        return
    by_start = Shift.between(before.starts_at, after.starts_at, before.timezone, after.timezone)
    by_end = Shift.between(before.ends_at, after.ends_at, before.timezone, after.timezone)
    if by_start == by_end:
        shift_sessions(event, by_start)
    else:
        check_window(event)


def shift_sessions(event: Event, shift: Shift) -> None:
    """Move every session of an event by the clock.

    :raises SessionsOutsideEvent: the clocks change, and one does not fit any more.
    :raises RoomTaken: two sessions meet, as the clocks show their hour twice on the other day.
    :raises SpeakerTaken: the same.
    """
    sessions = shifted(event.sessions.in_order(), shift)
    check_programme(event, sessions)
    Session.objects.bulk_update(sessions, ["starts_at", "ends_at"])


def shifted(sessions: Iterable[Session], shift: Shift) -> list[Session]:
    """Return the sessions, unsaved, at other times by the clock."""
    moved = list(sessions)
    for session in moved:
        session.starts_at, session.ends_at = shift(session.starts_at), shift(session.ends_at)
    return moved


def check_window(event: Event) -> None:
    """Hold an event's times to its programme, if it has one.

    :raises SessionsOutsideEvent: a session lies outside; it is named.
    """
    window = Window.of(event)
    outside = [session for session in event.sessions.in_order() if not window.holds(session)]
    if outside:
        raise SessionsOutsideEvent(_outside(window, outside))


def check_programme(event: Event, sessions: Sequence[Session]) -> None:
    """Hold a whole programme to the rules.

    :raises SessionsOutsideEvent: a session lies outside of the event; it is named.
    :raises RoomTaken: two sessions are in one room at once.
    :raises SpeakerTaken: somebody is in two sessions at once.
    """
    window = Window.of(event)
    outside = [session for session in sessions if not window.holds(session)]
    if outside:
        raise SessionsOutsideEvent(_outside(window, outside))
    for clash in clashes(sessions):
        raise clash.refusal(window.timezone)


class Clash(NamedTuple):
    """Two sessions at once in one room or with one speaker."""

    refused: Session
    other: Session
    by: str  # the field of both
    name: str

    def refusal(self, zone: str) -> DomainError:
        where = f"“{self.other.title}” ({span_text(self.other.starts_at, self.other.ends_at, zone)})"
        error: type[DomainError] = RoomTaken if self.by == "room" else SpeakerTaken
        message = f"{self.name} {'is taken by' if self.by == 'room' else 'speaks in'} {where}."
        return error(message, errors=[{"field": self.by, "code": error.code, "message": message}])


def clashes(sessions: Iterable[Session]) -> Iterator[Clash]:
    """Yield what is in two places at once among the sessions of one event."""
    in_order = sorted(sessions, key=lambda session: (session.starts_at, session.ends_at))
    for index, one in enumerate(in_order):
        for other in takewhile(lambda later, one=one: later.starts_at < one.ends_at, in_order[index + 1 :]):  # type: ignore[misc]
            yield from _clash(other, one)


def _clash(refused: Session, other: Session) -> Iterator[Clash]:
    """Yield what two sessions that overlap have in common."""
    room = comparable(refused.room)
    if room not in _UNSETTLED and room == comparable(other.room):
        yield Clash(refused, other, "room", " ".join(refused.room.split()))
    elsewhere = speakers(other.speaker)
    for key, name in speakers(refused.speaker).items():
        if key in elsewhere:
            yield Clash(refused, other, "speaker", name)


def comparable(name: str) -> str:
    """Return what two spellings of the name of a room or a person have in common."""
    return " ".join(comparison_key(name).split())


def speakers(text: str) -> dict[str, str]:
    """Return the names in a text such as ``Ada Lovelace, Grace Hopper and N.N.``, by what they are compared by."""
    names = [" ".join(name.split()) for name in _BETWEEN_NAMES.split(text)]
    return {comparable(name): name for name in names if comparable(name) not in _UNSETTLED}


def _check(event: Event, session: Session) -> None:
    window = Window.of(event)
    if session.ends_at <= session.starts_at:
        raise InvalidInput.field("ends_at", "ends_before_start", "A session ends after it starts.")
    if not window.holds(session):
        field = "starts_at" if not window.starts_at <= session.starts_at < window.ends_at else "ends_at"
        raise InvalidInput.field(field, "outside_event", f"The event lasts from {_in_words(window)}.")
    at_once = event.sessions.filter(starts_at__lt=session.ends_at, ends_at__gt=session.starts_at)
    for other in at_once.exclude(pk=session.pk).in_order():
        for clash in _clash(session, other):
            raise clash.refusal(window.timezone)


def _outside(window: Window, sessions: Sequence[Session]) -> str:
    first = sessions[0]
    span = span_text(first.starts_at, first.ends_at, window.timezone)
    more = f" and {len(sessions) - 1} more" if len(sessions) > 1 else ""
    return f"“{first.title}” ({span}){more} would lie outside of the event, {_in_words(window)}."


def _in_words(window: Window) -> str:
    return f"{span_text(*window)} ({window.timezone})"


def _locked(session_id: int, actor: Actor) -> tuple[Event, Session]:
    """Return a session with its event, which is locked and may be edited."""
    for event_id in Session.objects.filter(pk=session_id).values_list("event_id", flat=True):
        event = lock_event(event_id)
        require_editable(event, actor)
        for session in Session.objects.filter(pk=session_id):
            session.event = event
            return event, session
    raise NotVisible  # there is none, or it was deleted while we waited for its event


def _edited(event: Event, now: datetime) -> None:
    touch(event, now)
    searching.refresh(event.pk)
