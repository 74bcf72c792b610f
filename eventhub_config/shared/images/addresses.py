"""Where a picture is, for answers of the API: built from its key alone."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from eventhub_config.shared.images.files import SIZES


class ImageUrlsSerializer(serializers.Serializer[Any]):
    """The same picture in three sizes. The addresses work at once, and never show another picture."""

    small = serializers.URLField()
    medium = serializers.URLField()
    large = serializers.URLField()


@extend_schema_field(ImageUrlsSerializer(allow_null=True))
class ImageUrlsField(serializers.Field[Any, Any, Any, Any]):
    """The addresses of the picture whose key is the source; null without one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: str) -> dict[str, str]:
        return image_urls(value, self.context)


def image_urls(key: str, context: Mapping[str, Any]) -> dict[str, str]:
    """Return what ``ImageUrlsSerializer`` describes; ``context`` is a serializer's, with its request."""
    base = _base(context.get("request"))
    return {size: f"{base}{key}/{size}.webp" for size in SIZES}


def _base(request: Any) -> str:
    if request is None:
        return str(settings.MEDIA_URL)
    base: str | None = getattr(request, "media_base", None)
    if base is None:  # once for a whole list
        base = request.media_base = request.build_absolute_uri(settings.MEDIA_URL)
    return base
