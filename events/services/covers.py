"""The cover image of an event."""

from datetime import datetime

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.conditional import ANY_VERSION, ExpectedVersion
from eventhub_config.shared.images.storing import discard_if_unused, put_to_use, stored_image
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event
from events.services.editing import require_editable, touch
from events.services.seats import lock_event


def set_cover(
    *,
    event_id: int,
    content: bytes,
    uploaded_by: int,
    expected: ExpectedVersion = ANY_VERSION,
    actor: Actor,
    now: datetime,
    of_ours: bool = False,
) -> Event:
    """Take a picture, and let it be an event's cover from now on; the worker makes its sizes.

    ``of_ours``: this program drew it.

    :raises ImageRefused: one of its subclasses says why the picture is not taken.
    :raises PayloadTooLarge: it has too many bytes.
    :raises StorageUnavailable: it could not be stored.
    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: it is completed or cancelled.
    :raises VersionMismatch: the event was changed since the caller read it.
    """
    # What will be refused anyway is not worth decoding a picture for; under the lock it is asked again.
    require_editable(Event.objects.get(pk=event_id), actor)
    purpose = StoredImage.Purpose.COVER
    with stored_image(content, purpose=purpose, uploaded_by=uploaded_by, now=now, of_ours=of_ours) as image:
        return replace_cover(event_id=event_id, key=image.key, expected=expected, actor=actor, now=now)


def remove_cover(*, event_id: int, expected: ExpectedVersion = ANY_VERSION, actor: Actor, now: datetime) -> Event:
    """Let an event be without a cover; nothing changes if it is.

    :raises NotOwner: somebody else runs the event.
    :raises EventIsOver: it is completed or cancelled.
    :raises VersionMismatch: the event was changed since the caller read it.
    """
    return replace_cover(event_id=event_id, key=None, expected=expected, actor=actor, now=now)


@unit_of_work
def replace_cover(*, event_id: int, key: str | None, expected: ExpectedVersion, actor: Actor, now: datetime) -> Event:
    """Let a stored picture be an event's cover, or none; discard the one before unless another event shares it."""
    event = lock_event(event_id)
    require_editable(event, actor)
    expected.check(event.version)
    before = event.cover_id
    if key == before:
        return event
    if key:
        put_to_use(key=key, now=now)
    event.cover_id = key
    event.save(update_fields=["cover"])
    if before:
        discard_if_unused(key=before, now=now)
    touch(event, now)
    return event
