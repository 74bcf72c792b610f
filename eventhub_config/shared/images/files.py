"""The files of a picture in the storage: ``images/<key>/master.webp`` and one for each size.

No name comes from outside. Whatever a storage's library raises, an outage is one thing to us.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from eventhub_config.shared.images.refusals import StorageUnavailable

logger = logging.getLogger(__name__)

MASTER = "master"
SIZES = ("small", "medium", "large")


def save(key: str, size: str, content: bytes) -> None:
    """Store a file, or replace it.

    :raises StorageUnavailable: the storage did not take it.
    """
    with _outage_told(), contextlib.closing(ContentFile(content)) as file:
        default_storage.save(_name(key, size), file)


def open_file(key: str, size: str) -> "File[Any]":
    """Open a file to read it.

    :raises FileNotFoundError: there is no such file.
    :raises StorageUnavailable: the storage did not answer.
    """
    with _outage_told():
        file = default_storage.open(_name(key, size))
        try:
            file.seek(0)  # a bucket's is fetched only now, as a whole: not in the middle of an answer
        except BaseException:
            file.close()
            raise
        return file


def there_are(key: str) -> set[str]:
    """Return which files of a picture there are.

    :raises StorageUnavailable: the storage did not answer.
    """
    with _outage_told(), contextlib.suppress(FileNotFoundError):
        return {name.removesuffix(".webp") for name in default_storage.listdir(_folder(key))[1]}
    return set()


def remove_all(key: str) -> None:
    """Remove whatever there is of a picture; nothing is fine too.

    :raises StorageUnavailable: the storage did not answer.
    """
    with _outage_told(), contextlib.suppress(FileNotFoundError):
        for name in default_storage.listdir(_folder(key))[1]:  # what a killed process left unfinished too
            default_storage.delete(f"{_folder(key)}/{name}")
        default_storage.delete(_folder(key))


def _folder(key: str) -> str:
    return f"images/{key}"


def _name(key: str, size: str) -> str:
    return f"{_folder(key)}/{size}.webp"


@contextlib.contextmanager
def _outage_told() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        logger.exception("The storage of pictures failed")
        raise StorageUnavailable(retry_after=5) from error
