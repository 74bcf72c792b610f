"""A picture and its row: stored, put to use, discarded.

The row comes before the first file and goes after the last, so that no file is ever unknown. Until a row of an app
names the picture it is unused; one that stays so (its upload was refused in the end, or its process was killed) is
discarded, at once or by a job. Which rows name it is asked of their foreign keys: nothing here knows an app.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from eventhub_config.shared.dispatch import enqueue_on_commit
from eventhub_config.shared.errors import Busy, InvalidTransition
from eventhub_config.shared.images import files
from eventhub_config.shared.images.accepting import accept
from eventhub_config.shared.models import StoredImage
from eventhub_config.shared.transactions import in_unit_of_work, unit_of_work

# Longer than any upload takes to be put to use.
MAY_BE_UNUSED = timedelta(hours=1)
BATCH = 1000


@contextlib.contextmanager
def stored_image(
    content: bytes, *, purpose: StoredImage.Purpose, uploaded_by: int, now: datetime, of_ours: bool = False
) -> Iterator[StoredImage]:
    """Take and store a picture; discard it again unless it is put to use inside. Outside of any transaction.

    ``of_ours``: this program drew it. See ``accept``.

    :raises ImageRefused: one of its subclasses says why it is not taken; nothing was stored.
    :raises PayloadTooLarge: it has too many bytes.
    :raises StorageUnavailable: the storage did not take it.
    """
    if in_unit_of_work():
        raise RuntimeError("Decoding and storing take their time: not within a transaction.")
    picture = accept(content, of_ours=of_ours)
    image = StoredImage.objects.create(
        purpose=purpose, uploaded_by=uploaded_by, width=picture.width, height=picture.height, created_at=now
    )
    try:
        files.save(image.key, files.MASTER, picture.content)
        yield image
    finally:
        discard_if_unused(key=image.key, now=now)


def put_to_use(*, key: str, now: datetime) -> None:
    """Owe a picture's renditions. Call in the unit of work that is about to name it, with what names it locked.

    :raises Busy: it was discarded meanwhile.
    """
    image = StoredImage.objects.select_for_update(no_key=True).filter(pk=key, discarded_at=None).first()
    if image is None:
        raise Busy
    if image.rendered_at is None:
        image.next_attempt_at = now
        image.save(update_fields=["next_attempt_at"])
        wake(key)


@unit_of_work
def discard_if_unused(*, key: str, now: datetime) -> bool:
    """Let the worker remove a picture that no row names any more; say whether it was this call.

    Call after what named it no longer does, in the same unit of work. A picture that others share stays.
    """
    # Not `no_key`: that would let a row in which is about to name it.
    image = StoredImage.objects.select_for_update().filter(pk=key, discarded_at=None).first()
    if image is None or not unused(StoredImage.objects.filter(pk=key)).exists():
        return False
    image.discarded_at = now
    _owe_anew(image, now, "discarded_at")
    return True


@unit_of_work
def retry(*, key: str, now: datetime) -> None:
    """Owe once more, with all its attempts, what was given up.

    :raises InvalidTransition: nothing was.
    """
    image = StoredImage.objects.select_for_update(no_key=True).get(pk=key)
    if image.parked_at is None:
        raise InvalidTransition("The work on this picture was not given up.")
    _owe_anew(image, now)


def discard_unused_images(now: datetime) -> int:
    """Discard pictures that nothing has named for too long; return how many."""
    old = unused(StoredImage.objects.filter(discarded_at=None, created_at__lte=now - MAY_BE_UNUSED))
    keys = list(old.order_by("created_at", "pk").values_list("pk", flat=True)[:BATCH])
    return sum(discard_if_unused(key=key, now=now) for key in keys)


def unused(images: "QuerySet[StoredImage]") -> "QuerySet[StoredImage]":
    """Return those that no row of any app names."""
    for field in _fields_that_name_images():
        naming = field.model._base_manager.filter(**{field.attname: OuterRef("pk")})
        images = images.filter(~Exists(naming))
    return images


def _fields_that_name_images() -> list[Any]:
    relations = StoredImage._meta.get_fields(include_hidden=True)
    return [relation.field for relation in relations if relation.auto_created and not relation.concrete]  # type: ignore[union-attr]


def _owe_anew(image: StoredImage, now: datetime, *also: str) -> None:
    image.attempts, image.parked_at, image.last_error, image.next_attempt_at = 0, None, "", now
    image.save(update_fields=[*StoredImage.WORK_COLUMNS, *also])
    wake(image.key)


def wake(key: str) -> None:
    """Have a worker look at a picture as soon as the transaction has committed."""
    from eventhub_config.shared.tasks import work_on_image  # it calls what comes after this module

    enqueue_on_commit(work_on_image, image_key=key)
