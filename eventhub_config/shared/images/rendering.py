"""The worker's part: making a picture's renditions, and removing what was discarded. Claim, work, record."""

import logging
from datetime import datetime

from django.db.models import QuerySet

from eventhub_config.shared.images import files
from eventhub_config.shared.images.storing import wake
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.transactions import unit_of_work

logger = logging.getLogger(__name__)

# The side of a square cut from the middle; the width. Never enlarged.
AVATAR_SIDES = dict(zip(files.SIZES, (64, 192, 512), strict=True))
COVER_WIDTHS = dict(zip(files.SIZES, (400, 800, 1600), strict=True))


def images_to_work_on(now: datetime) -> "QuerySet[StoredImage, str]":
    due = StoredImage.objects.filter(StoredImage.due(now)).order_by("next_attempt_at", "pk")
    return due.values_list("pk", flat=True)


def work_on(*, key: str, now: datetime) -> None:
    """Render a picture that is due, or remove it if it was discarded. May run any number of times."""
    image = _claim(key=key, now=now)
    if image is None:
        return
    try:
        if image.discarded_at:
            files.remove_all(key)
        else:
            _render(image)
    except Exception as error:  # noqa: BLE001  (whatever is wrong with one picture must not stop the others)
        logger.warning("Work on picture %s failed: %r", key, error)
        _record_failure(key=key, attempt=image.attempts, error=error, now=now)
    else:
        _record_success(key=key, was_discarded=image.discarded_at is not None, now=now)


def _render(image: StoredImage) -> None:
    # Pillow stays out of the memory of web processes, which import this module but do not come here.
    from eventhub_config.shared.images.decoder import rendition

    with files.open_file(image.key, files.MASTER) as file:
        master = file.read()
    is_avatar = image.purpose == StoredImage.Purpose.AVATAR
    for size, side in (AVATAR_SIDES if is_avatar else COVER_WIDTHS).items():
        files.save(image.key, size, rendition(master, side, square=is_avatar))


@unit_of_work
def _claim(*, key: str, now: datetime) -> StoredImage | None:
    """Take a due picture for a while; None if it is not due or somebody else has it."""
    image = StoredImage.objects.select_for_update(no_key=True).filter(pk=key).first()
    if image is None or not image.is_due(now):
        return None
    claimed = image.hold_claim(now)
    image.save(update_fields=StoredImage.WORK_COLUMNS)
    return image if claimed else None


@unit_of_work
def _record_success(*, key: str, was_discarded: bool, now: datetime) -> None:
    image = StoredImage.objects.select_for_update().filter(pk=key).first()
    if image is None:
        return
    if was_discarded:
        image.delete()
        return
    image.rendered_at = now
    if image.discarded_at:  # while it was rendered: its files are to go
        image.claimed_until = None
        wake(key)
    else:
        image.work_is_done()
    image.save(update_fields=[*StoredImage.WORK_COLUMNS, "rendered_at"])


@unit_of_work
def _record_failure(*, key: str, attempt: int, error: Exception, now: datetime) -> None:
    image = StoredImage.objects.select_for_update(no_key=True).filter(pk=key).first()
    if image is None or image.attempts != attempt:
        return  # our claim ran out, or it was discarded meanwhile
    image.work_failed(repr(error), now=now)
    image.save(update_fields=StoredImage.WORK_COLUMNS)
