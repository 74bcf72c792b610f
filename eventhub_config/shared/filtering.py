"""Filters, search and ordering are allow-lists; anything else in the query string is a 400 with its name."""

import re
from collections.abc import Set
from typing import Any

import django_filters
from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet
from django.forms import CharField, DecimalField, IntegerField, NullBooleanField, TextInput
from django.forms import DateTimeField as DateTimeFormField
from django_filters.fields import BaseCSVField
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.rest_framework import FilterSet as PlainFilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from eventhub_config.shared.fields import MomentField

LARGEST_ID = 2**63 - 1


def refuse_unknown_parameters(request: Request, *, known: Set[str] = frozenset()) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        refusal = ValidationError("There is no such parameter.", "unknown_parameter").detail
        raise ValidationError({name[:80]: refusal for name in unknown})


class StrictFilterBackend(DjangoFilterBackend):
    """Applies the view's ``filterset_class`` and refuses parameters that it does not know."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        filters = set(filterset_class.base_filters) if filterset_class else set()
        refuse_unknown_parameters(request, known=filters | getattr(view.paginator, "parameters", frozenset()))
        with_nul = [name for name, values in request.query_params.lists() if "\0" in "".join(map(str, values))]
        if with_nul:
            raise ValidationError({name: ["The character NUL is not allowed."] for name in with_nul})
        if filters.isdisjoint(request.query_params):
            return queryset  # spare making the form
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class FilterSet(PlainFilterSet):
    """Names what a parameter takes when it is sent something else."""

    def get_form_class(self) -> Any:
        form = super().get_form_class()
        for field in form.base_fields.values():
            if hasattr(field, "choices"):
                taken = ", ".join(str(value) for value, _label in field.choices if value not in {"", None})
                field.error_messages["invalid_choice"] = f"Send one of {taken}."
        return form


class NamesFormField(BaseCSVField):
    def clean(self, value: Any) -> Any:
        names = super().clean(value)
        if names and not all(names):  # between two commas
            raise FormError("Send names, separated by single commas.", "invalid")
        return names


class Ordering(django_filters.OrderingFilter):
    """``ordering=name`` or ``-name`` from an allow-list, with the id as tie-break."""

    base_field_class = NamesFormField

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return qs
        order = [self.get_ordering_value(item) for item in value]
        return qs.order_by(*order, "-pk" if value[-1].startswith("-") else "pk")


class UpperCaseFormField(CharField):
    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").upper()


class CodeFilter(django_filters.CharFilter):
    """Compares with a code in capital letters, however it is written."""

    field_class = UpperCaseFormField


class IdFormField(IntegerField):
    def to_python(self, value: Any) -> int | None:
        # The library's own number fields round 7.9 and read 1_000.
        if value not in self.empty_values and not re.fullmatch(r"[0-9]{1,19}", value):
            raise FormError("Send an id: a whole number.", "invalid")
        return super().to_python(value)


class ShapedFilter(django_filters.NumberFilter):
    """A number that the API's document describes as ``shape``."""

    shape: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Beside a shape of one's own the document does not read the label.
        description = {"description": kwargs["label"]} if kwargs.get("label") else {}
        extend_schema_field({**self.shape, **description})(self)


class IdFilter(ShapedFilter):
    """Compares with an id."""

    field_class = IdFormField
    shape = {"type": "integer", "format": "int64", "minimum": 1}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


class PlainDecimalFormField(DecimalField):
    def to_python(self, value: Any) -> Any:
        # The library's own reads 1_000, 1e3 and digits of other scripts.
        if value not in self.empty_values and not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", value):
            raise FormError("Send a number such as 12 or 12.50.", "invalid")
        return super().to_python(value)


class DecimalFilter(ShapedFilter):
    """Compares with a number that is not negative, written plainly."""

    field_class = PlainDecimalFormField
    shape = {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,3})?$"}

    def get_max_validator(self) -> None:
        """Leave the largest number to the pattern."""


class YesNoFormField(NullBooleanField):
    widget = TextInput  # the library's own widgets turn what they do not know into "not asked"

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]
        if value not in {None, "", "true", "false"}:
            raise FormError("Send true or false.", "invalid")
        return super().to_python(value)


class YesNoFilter(django_filters.BooleanFilter):
    """``true`` or ``false``, and a refusal of anything else."""

    field_class = YesNoFormField


class MomentFormField(DateTimeFormField):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return MomentField().run_validation(value)
        except ValidationError as error:
            raise FormError([str(item) for item in error.detail]) from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Compares with an aware moment; a value without an offset is refused."""

    field_class = MomentFormField


__all__ = [
    "CodeFilter",
    "DecimalFilter",
    "FilterSet",
    "IdFilter",
    "MomentFilter",
    "Ordering",
    "StrictFilterBackend",
    "YesNoFilter",
    "refuse_unknown_parameters",
]
