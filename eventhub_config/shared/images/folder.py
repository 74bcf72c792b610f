"""The folder that web and worker share."""

import os
import tempfile
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class MediaFolder(FileSystemStorage):
    """Files in ``MEDIA_ROOT``: each is there as a whole or not at all, and lasts once it was saved.

    Saving again replaces, so that work which is done twice leaves one file.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = self.path(name)
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        try:
            with open(handle, "wb") as file:
                file.writelines(content.chunks())
                file.flush()
                os.fsync(handle)
            os.chmod(unfinished, self.file_permissions_mode or 0o644)
            os.replace(unfinished, path)
        except BaseException:
            os.unlink(unfinished)
            raise
        _make_lasting(folder)
        return name


def _make_lasting(folder: str) -> None:
    """Have the folder's entries, not only the files in them, survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
