"""Why a picture is not taken."""

from typing import Any

from eventhub_config.shared.errors import Busy, DomainError, PayloadTooLarge


class ImageRefused(DomainError):
    """A refusal that names the field of the upload."""

    status = 400

    def __init__(self, detail: str = "") -> None:
        detail = detail or self.title
        errors: list[dict[str, Any]] = [{"field": "image", "code": self.code, "message": detail}]
        super().__init__(detail, errors=errors)


class ImageMissing(ImageRefused):
    code = "image_missing"
    title = "Send one file, in the field `image`."


class ImageNotRecognised(ImageRefused):
    code = "image_not_recognised"
    title = "Send a JPEG, PNG or WebP picture. What counts is what is in the file, not its name."


class ImageTooManyPixels(ImageRefused):
    code = "image_too_many_pixels"
    title = "The picture has too many pixels."


class ImageDamaged(ImageRefused):
    code = "image_damaged"
    title = "The picture is damaged: it cannot be read to its end."


class StorageUnavailable(Busy):
    code = "storage_unavailable"
    title = "Pictures cannot be stored or read just now. Nothing was changed; try again."


# What any upload can be refused with, besides what belongs to its resource.
UPLOAD_PROBLEMS: tuple[type[DomainError], ...] = (
    ImageMissing,
    ImageNotRecognised,
    ImageTooManyPixels,
    ImageDamaged,
    PayloadTooLarge,
    StorageUnavailable,
)
