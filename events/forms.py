"""The forms of events and ticket types in the admin; the rules between fields are the services'."""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.validators import RegexValidator

from eventhub_config.shared import money
from eventhub_config.shared.admin_forms import LocalMomentField, LocalTimesForm, zone_in
from eventhub_config.shared.images.admin import IMAGE_FIELDS, ImageFormMixin
from eventhub_config.shared.validators import validate_short_texts, validate_single_line, validate_timezone
from events.models import Event
from events.serializers.ticket_types import LARGEST


@cache
def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones())]


class ShortTextsField(forms.CharField):
    """A list of short texts, typed one a line."""

    widget = AdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        texts = [line.strip() for line in (super().to_python(value) or "").splitlines()]
        return [text for text in texts if text]

    def run_validators(self, value: Any) -> None:
        validate_short_texts(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class EventForm(ImageFormMixin, LocalTimesForm):
    moments = ("starts_at", "ends_at", "registration_deadline", "refund_until")
    field_of_code = {
        "capacity_below_taken": "capacity",
        "currency_frozen": "currency",
        "payload_too_large": "image",
        "rate_limited": "image",
        "storage_unavailable": "image",
    }

    skills = ShortTextsField(required=False, help_text="One a line.")
    timezone = forms.ChoiceField(
        choices=_zones,
        validators=[validate_timezone],
        label="Time zone",
        help_text="All times in the fields of this page are as the clocks there show them.",
    )
    starts_at = LocalMomentField(label="Starts")
    ends_at = LocalMomentField(label="Ends")
    registration_deadline = LocalMomentField(required=False, help_text="Empty: the start.")
    refund_until = LocalMomentField(required=False, help_text="Empty: until the start.")
    country = forms.CharField(
        required=False,
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$", "Two capital letters, such as DE.")],
        help_text="ISO 3166-1 alpha-2, such as DE.",
    )
    capacity = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, help_text="Empty: unlimited.")
    currency = forms.ChoiceField(choices=lambda: [(code, code) for code in money.currencies()], initial="EUR")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.fields.get("attendance_rule")
        if self.instance.pk is None and isinstance(rule, forms.TypedChoiceField):
            rule.required = False
            rule.choices = [("", "As usual for the format"), *Event.AttendanceRule.choices]
            self.initial["attendance_rule"] = ""

    def zone(self) -> ZoneInfo:
        return zone_in(self.data, self.instance.timezone)

    def changes(self) -> dict[str, Any]:
        """Return what was typed that differs from the row as this request read it."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name not in IMAGE_FIELDS}


class RowOfEventForm(LocalTimesForm):
    """Something that belongs to an event, on the event's page or on one of its own."""

    position = forms.IntegerField(required=False, min_value=0, max_value=10_000)

    def __init__(self, *args: Any, zone: ZoneInfo | None = None, **kwargs: Any) -> None:
        self._zone = zone  # of the event whose page this is a row of
        super().__init__(*args, **kwargs)

    def clean_position(self) -> int | None:
        position: int | None = self.cleaned_data["position"]
        return self.instance.position if position is None and self.instance.pk else position

    def zone(self) -> ZoneInfo | None:
        if self._zone:
            return self._zone
        event = self.instance.event if self.instance.event_id else getattr(self, "cleaned_data", {}).get("event")
        return ZoneInfo(event.timezone) if event else None

    def changes(self) -> dict[str, Any]:
        """Return what was typed that differs from the row as this request read it."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}

    def values(self) -> dict[str, Any]:
        """Return what a new row is made of; an empty position is left to the service."""
        return {name: value for name, value in self.cleaned_data.items() if (name, value) != ("position", None)}


class RowsOfEventFormSet(forms.BaseInlineFormSet):
    """What belongs to an event, on the event's page."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "zone": zone_in(self.data, self.instance.timezone)}


class SessionForm(RowOfEventForm):
    moments = ("starts_at", "ends_at")

    starts_at = LocalMomentField(label="Starts")
    ends_at = LocalMomentField(label="Ends")
    capacity = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, help_text="For information only.")


class TicketTypeForm(RowOfEventForm):
    moments = ("sales_start_at", "sales_end_at")
    field_of_code = {"capacity_below_taken": "quantity"}

    name = forms.CharField(max_length=80, validators=[validate_single_line])
    price = forms.DecimalField(
        min_value=money.ZERO,
        max_digits=money.MAX_DIGITS,
        decimal_places=money.DECIMAL_PLACES,
        initial=0,
        help_text="For one seat, tax included; 0 is free.",
    )
    quantity = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, help_text="Empty: limited by the event's capacity only."
    )
    sales_start_at = LocalMomentField(required=False, label="Sales start")
    sales_end_at = LocalMomentField(required=False, label="Sales end")
    min_per_booking = forms.IntegerField(min_value=1, max_value=1000, initial=1)
    max_per_booking = forms.IntegerField(min_value=1, max_value=1000, initial=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        price = self.initial.get("price")
        if price is not None and self.instance.event_id:
            self.initial["price"] = money.rounded(price, self.instance.event.currency)
