"""The picture of a row on its page in the admin: shown, sent anew, removed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from eventhub_config.shared.admin_forms import FormRefused
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.images.storing import stored_image
from eventhub_config.shared.images.uploads import FIELD, upload_limit
from eventhub_config.shared.models import StoredImage

REMOVE = "remove_image"
IMAGE_FIELDS = frozenset({FIELD, REMOVE})
ACCEPTED = "image/jpeg,image/png,image/webp"


class TooManyUploads(DomainError):
    code = "rate_limited"
    status = 429
    title = "Too many requests."


class ImageFormMixin(forms.Form):
    """The two fields, on the page of a row that there is; what they ask for is not among the row's own changes."""

    image = forms.FileField(
        required=False,
        label="New picture",
        help_text="JPEG, PNG or WebP. It replaces the present one.",
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
    )
    remove_image = forms.BooleanField(required=False, label="Remove the picture")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:  # type: ignore[attr-defined]  # of the model form this is mixed into
            for name in IMAGE_FIELDS:
                del self.fields[name]


class ImageOnPage(admin.ModelAdmin):
    """To be mixed into a ``ScopedAdmin`` whose form has ``ImageFormMixin``; its ``save_model`` calls ``save_image``.

    The page is saved in one unit of work, and a picture must not be decoded and stored within it: that happens before.
    """

    image_attribute: ClassVar[str]
    image_purpose: ClassVar[StoredImage.Purpose]

    @admin.display(description="picture", empty_value="none")
    def picture(self, row: Any) -> str | None:
        return preview(getattr(row, self.image_attribute))

    def image_fieldset(self, request: HttpRequest, row: Any) -> tuple[str, dict[str, Any]]:
        may_change = self.has_change_permission(request, row)
        return ("Picture", {"fields": ("picture", FIELD, REMOVE) if may_change else ("picture",)})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        view = super().changeform_view
        sent = request.FILES.get(FIELD) if request.method == "POST" and object_id else None
        row = self.get_object(request, unquote(object_id)) if sent and object_id else None
        if sent is None or row is None or not self.has_change_permission(request, row):
            return view(request, object_id, form_url, extra_context)
        person: Any = request.user
        noted: Any = request
        try:
            rate = upload_limit().count(f"user:{person.pk}")
            if rate is not None and rate.exceeded:
                raise TooManyUploads("You have sent too many pictures. Try again in an hour.")
            with stored_image(
                sent.read(), purpose=self.image_purpose, uploaded_by=person.pk, now=timezone.now()
            ) as image:
                noted.stored_image = image
                return view(request, object_id, form_url, extra_context)
        except DomainError as error:
            noted.refusal = FormRefused(error)
        return view(request, object_id, form_url, extra_context)

    def save_image(self, request: HttpRequest, form: Any, replace: Callable[[str | None, datetime], object]) -> None:
        """Let ``replace`` (key or None, now) do what the page asks for, if it asks for anything."""
        image: StoredImage | None = getattr(request, "stored_image", None)
        if image or form.cleaned_data.get(REMOVE):
            replace(image.key if image else None, timezone.now())


def preview(image: StoredImage | None, *, height: int = 225) -> str | None:
    """Return a picture as it is shown on a page, at most ``height`` pixels high."""
    if image is None or image.discarded_at:
        return None
    address = f"{settings.MEDIA_URL}{image.key}/small.webp"
    return format_html('<img src="{}" alt="" style="max-width: 400px; max-height: {}px">', address, height)
