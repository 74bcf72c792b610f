"""The shape of complimentary bookings in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.services.complimentary import Gift
from eventhub_config.shared.validators import validate_single_line
from users.models import EMAIL_MAX_LENGTH, validate_email_key


class GiftSerializer(serializers.Serializer[Any]):
    """One complimentary booking, as a body or as a line of a file."""

    email = serializers.EmailField(max_length=EMAIL_MAX_LENGTH, validators=[validate_email_key])
    name = serializers.CharField(
        max_length=160,
        required=False,
        allow_blank=True,
        default="",
        validators=[validate_single_line],
        help_text="What you call this person.",
    )
    ticket_type = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        allow_null=True,
        default=None,
        help_text="Hidden ones too. Left out: the event's first.",
    )
    quantity = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=1)
    reason = serializers.CharField(
        max_length=255, validators=[validate_single_line], help_text="Why it costs nothing; kept with the booking."
    )

    def as_gift(self) -> Gift:
        return Gift(**self.validated_data)


class GiftFileSerializer(serializers.Serializer[Any]):
    """A list with the columns `email`, and any of `name`, `ticket_type`, `quantity` and `reason`."""

    file = serializers.FileField(
        required=False, help_text="CSV in UTF-8 with commas, semicolons or tabs; the first line names the columns."
    )
    reason = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        default="",
        validators=[validate_single_line],
        help_text="For lines that have none of their own.",
    )
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Say what would happen; do nothing.")


@extend_schema_field({"type": "string", "minLength": 1, "examples": ["email,name\nann@example.org,Ann\n"]})
class CsvField(serializers.CharField):
    """A text that is a list."""


class GiftTextSerializer(GiftFileSerializer):
    """The same list as a text."""

    file = None  # type: ignore[assignment]
    csv = CsvField(required=False, trim_whitespace=False, help_text="What the file would have in it.")


class LineProblemSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="As an editor counts them: the first line has the names of the columns.")
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ImportSerializer(serializers.Serializer[Any]):
    """What became of a list, or what would."""

    is_accepted = serializers.BooleanField(help_text="Whether all lines are good: else nothing is booked.")
    dry_run = serializers.BooleanField()
    bookings = serializers.ListField(child=serializers.IntegerField(), help_text="Their ids, line by line.")
    lines = serializers.IntegerField(help_text="How many lines are good.")
    seats = serializers.IntegerField(help_text="Their seats.")
    problems = LineProblemSerializer(many=True)
