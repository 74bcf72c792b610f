"""Receiving a picture over HTTP: one file of bounded size, in memory, from ``multipart/form-data``."""

from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from rest_framework import serializers
from rest_framework.parsers import DataAndFiles, MultiPartParser
from rest_framework.request import Request

from eventhub_config.shared.images.accepting import too_many_bytes
from eventhub_config.shared.images.refusals import ImageMissing
from eventhub_config.shared.throttling import Limit, enforce

FIELD = "image"
# Beside the file: its boundaries and headers, and the other fields of a form in the admin.
ENVELOPE_BYTES = 262_144
# A body up to so many times the limit is read, and dropped, before it is refused: a connection that is closed while its
# sender still sends shows them an error of the network in place of our answer.
READ_ANYWAY = 4


class DroppedFile(InMemoryUploadedFile):
    """A file that was too large to be kept. A page of the admin says so; whoever reads it regardless is refused."""

    def read(self, *_: Any) -> Any:
        raise too_many_bytes()

    def chunks(self, *_: Any) -> Any:
        raise too_many_bytes()

    def open(self, *_: Any) -> Any:
        raise too_many_bytes()


class BoundedUploadHandler(FileUploadHandler):
    """Keeps what is uploaded in memory, and refuses what is too large without keeping it.

    Django's own would write files of any size to the disk, for anybody, before any view is asked.
    """

    def handle_raw_input(
        self, input_data: Any, meta: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self._received = 0
        if content_length <= settings.IMAGE_MAX_BYTES + ENVELOPE_BYTES:
            return
        if content_length > READ_ANYWAY * settings.IMAGE_MAX_BYTES:
            raise RequestDataTooBig("The request body is too large.")
        if self.request is None or self.request.path.startswith("/api/"):
            while input_data.read(self.chunk_size):
                pass
            raise RequestDataTooBig("The request body is too large.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._file = BytesIO()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)  # of all files of the request
        if self._received <= settings.IMAGE_MAX_BYTES:
            self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self._file.seek(0)
        kind = InMemoryUploadedFile if self._received <= settings.IMAGE_MAX_BYTES else DroppedFile
        return kind(self._file, self.field_name, self.file_name, self.content_type, file_size, self.charset)


class ImageUploadParser(MultiPartParser):
    """The body of an upload; all else in the API is JSON."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        try:
            return super().parse(stream, media_type, parser_context)
        except RequestDataTooBig as error:
            raise too_many_bytes() from error


class ImageUploadSerializer(serializers.Serializer[Any]):
    image = serializers.FileField(help_text="A JPEG, PNG or WebP picture. Its name and metadata are not kept.")


def upload_limit() -> Limit:
    return Limit("image-upload", settings.IMAGE_UPLOADS_PER_HOUR, timedelta(hours=1))


def uploaded_image(request: Request) -> bytes:
    """Return the one file of an upload, counted against its sender's limit before it is read.

    :raises Throttled: they have sent too many.
    :raises ImageMissing: there is no file, another one, or more than one.
    :raises PayloadTooLarge: it has too many bytes.
    """
    enforce(upload_limit(), f"user:{request.user.pk}")
    sent = [(field, file) for field, files in request.FILES.lists() for file in files]
    if [field for field, _file in sent] != [FIELD]:
        raise ImageMissing
    content: bytes = sent[0][1].read()
    return content
