"""The picture of a person."""

from datetime import datetime

from eventhub_config.shared.actors import Actor
from eventhub_config.shared.conditional import ANY_VERSION, ExpectedVersion
from eventhub_config.shared.images.storing import discard_if_unused, put_to_use, stored_image
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.transactions import unit_of_work
from users.models import CustomUser
from users.services.rows import locked, record


def set_avatar(
    *,
    user_id: int,
    content: bytes,
    expected: ExpectedVersion = ANY_VERSION,
    actor: Actor,
    now: datetime,
    of_ours: bool = False,
) -> CustomUser:
    """Take a picture, and let it be a person's avatar from now on; the worker makes its sizes.

    ``of_ours``: this program drew it.

    :raises ImageRefused: one of its subclasses says why the picture is not taken.
    :raises PayloadTooLarge: it has too many bytes.
    :raises StorageUnavailable: it could not be stored.
    :raises VersionMismatch: the profile was changed since the caller read it.
    """
    purpose = StoredImage.Purpose.AVATAR
    with stored_image(content, purpose=purpose, uploaded_by=user_id, now=now, of_ours=of_ours) as image:
        return _replace(user_id=user_id, key=image.key, expected=expected, actor=actor, now=now)


def remove_avatar(*, user_id: int, expected: ExpectedVersion = ANY_VERSION, actor: Actor, now: datetime) -> CustomUser:
    """Let a person be without an avatar; nothing changes if they are.

    :raises VersionMismatch: the profile was changed since the caller read it.
    """
    return _replace(user_id=user_id, key=None, expected=expected, actor=actor, now=now)


@unit_of_work
def _replace(*, user_id: int, key: str | None, expected: ExpectedVersion, actor: Actor, now: datetime) -> CustomUser:
    user = locked(user_id)
    expected.check(user.profile.version)
    before = user.profile.avatar_id
    if key == before:
        return user
    if key:
        put_to_use(key=key, now=now)
    user.profile.avatar_id = key
    user.profile.version += 1
    user.profile.save(update_fields=["avatar", "version", "updated_at"])
    if before:
        discard_if_unused(key=before, now=now)
    record(user, "avatar", before="", after="edited", actor=actor, now=now)
    return user
