"""Forms of the admin whose values go to services: refusals become errors of fields, times are the event's own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone

from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.validators import validate_timezone


class FormRefused(Exception):
    """A service refused what one form of a page (the page's own, or one row of a table in it) asked for."""

    def __init__(self, error: DomainError, prefix: str | None = None) -> None:
        self.error = error
        self.prefix = prefix
        super().__init__(str(error))


@contextmanager
def refusals_of(form: forms.BaseForm) -> Iterator[None]:
    """Say which form it was that a service refused."""
    try:
        yield
    except DomainError as error:
        raise FormRefused(error, form.prefix) from error


def explain(error: DomainError) -> str:
    """Return why something was refused, in plain words."""
    return " ".join(str(item["message"]) for item in error.errors) or str(error)


class RefusableForm(forms.ModelForm):
    """Shows what a service refused when this form was saved for the first time; see ``ScopedAdmin.changeform_view``."""

    refusal: ClassVar[FormRefused | None] = None
    # For refusals that do not name a field themselves.
    field_of_code: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The service holds what stands between fields: under its lock it sees the row as it is, and names the field.
        self.instance.validate_constraints = lambda **_: None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal and self.refusal.prefix == self.prefix:
            self._show(self.refusal.error)
        elif self.refusal and self.prefix is None:  # another form of the page shows it
            self.add_error(None, "Nothing was saved.")
        return cleaned

    def _show(self, error: DomainError) -> None:
        if not error.errors:
            self._add(self.field_of_code.get(error.code, ""), str(error))
        for item in error.errors:
            self._add(item["field"], item["message"])

    def _add(self, field: str, message: str) -> None:
        self.add_error(field if field in self.fields else None, message)


class LocalMomentField(forms.SplitDateTimeField):
    """A day and a time as the clocks show them somewhere; the form knows where, and makes a moment of them."""

    widget = AdminSplitDateTime

    def compress(self, data_list: Any) -> Any:
        with timezone.override(UTC):
            moment = super().compress(data_list)
        if not moment:
            return None
        if not 1900 <= moment.year <= 2200:  # like the API's moments
            raise ValidationError("This is outside the years 1900 to 2200.", "range")
        return moment.replace(tzinfo=None)


class LocalTimesForm(RefusableForm):
    """Takes the moments in ``moments`` as the clocks show them in one zone.

    Where the zone itself is changed on the same page, the times stay as they are written: 10:00 there, not 10:00 here.
    """

    moments: ClassVar[tuple[str, ...]] = ()

    class Media:
        js = ("shared/admin/local_times.js",)

    def zone(self) -> ZoneInfo | None:
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.zone()
        for name in self.moments:
            moment = getattr(self.instance, name)
            if moment is not None and zone is not None:
                self.initial[name] = moment.astimezone(zone).replace(tzinfo=None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        zone = self.zone()
        for name in self.moments:
            if name in cleaned:
                cleaned[name] = self._moment(name, cleaned[name], zone)
        return cleaned

    def _moment(self, name: str, shown: datetime | None, zone: ZoneInfo | None) -> datetime | None:
        if name not in self.changed_data:
            kept: datetime | None = getattr(self.instance, name)
            return kept
        if shown is None or zone is None:
            return None
        with timezone.override(zone):
            try:
                moment: datetime = from_current_timezone(shown)
            except ValidationError:
                self.add_error(name, f"In {zone.key} the clocks skip this time or show it twice. Choose another.")
                return None
        return moment.astimezone(UTC)


def zone_in(data: Mapping[str, Any], stored: str) -> ZoneInfo:
    """Return the zone that a page with a field ``timezone`` was sent with, or the stored one."""
    name = data.get("timezone") or stored
    try:
        validate_timezone(name)
    except ValidationError:
        name = stored
    return ZoneInfo(name)
