"""Serializer fields that mean the same everywhere: moments, money, and references to what the caller may see."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from eventhub_config.shared import money


class ChoiceField(serializers.ChoiceField):
    """One of some words; the refusal of another names them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        self.error_messages["invalid_choice"] = f"Send one of {', '.join(map(str, self.choices))}."


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.DateTimeField):
    """An aware moment: answered in UTC with ``Z``; without an offset it is refused."""

    default_error_messages = {
        "naive": "Say which offset this is in, such as 2027-03-01T18:00:00Z.",
        "range": "This is outside the years 1900 to 2200.",
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        try:
            moment = value.astimezone(UTC)
        except (OverflowError, ValueError):
            self.fail("range")
        if not 1900 <= moment.year <= 2200:
            self.fail("range")
        return moment

    def to_representation(self, value: Any) -> Any:
        return moment_text(value) if isinstance(value, datetime) else value


def moment_text(value: datetime) -> str:
    """Return a moment as the API writes it: ``2027-03-01T18:00:00Z``, with microseconds only if there are some."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Money(NamedTuple):
    amount: Decimal
    currency: str


_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@extend_schema_field({"type": "string", "pattern": f"^{_PLAIN_NUMBER.pattern}$", "examples": ["25.00"]})
class MoneyField(serializers.DecimalField):
    """An amount as a string with its currency's decimals. ``currency_source`` is a dotted path from the row."""

    default_error_messages = {"money": 'Write the amount as a plain number, such as "25.00".'}

    def __init__(self, *, currency_source: str = "currency", **kwargs: Any) -> None:
        self.currency_source = currency_source.split(".")
        kwargs.setdefault("min_value", money.ZERO)
        super().__init__(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES, **kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # Not DRF's own for decimals, which takes an empty text for null: that may stand for everything there is.
        return serializers.Field.validate_empty_values(self, data)

    def to_internal_value(self, data: Any) -> Decimal:
        sent_as_text = isinstance(data, str)
        if isinstance(data, bool | float) and not isinstance(data, int):
            data = str(data)
        if isinstance(data, bool):
            self.fail("money")
        amount = super().to_internal_value(data)
        # Python's own reads 1_000, 1e3 and digits of other scripts.
        if sent_as_text and not _PLAIN_NUMBER.fullmatch(data.strip()):
            self.fail("money")
        return amount

    def get_attribute(self, instance: Any) -> Any:
        amount = super().get_attribute(instance)
        if amount is None:
            return None
        currency = instance
        for step in self.currency_source:
            currency = getattr(currency, step)
        return Money(amount, currency)

    def to_representation(self, value: Any) -> str:
        return money.as_text(value.amount, value.currency)


class ModelSerializer(serializers.ModelSerializer[Any]):
    # DRF's, with our moments. No docstring: the API's description would repeat it for every serializer without one.
    pass


ModelSerializer.serializer_field_mapping = {
    model_field: MomentField if serializer_field is serializers.DateTimeField else serializer_field
    for model_field, serializer_field in serializers.ModelSerializer.serializer_field_mapping.items()
}
