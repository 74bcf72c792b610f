"""The shape of what is asked and told at the door."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.models import Ticket
from bookings.services.door import Outcome, ScanRequest, as_found
from bookings.services.door_list import TICKETS_AT_ONCE, DoorState
from eventhub_config.shared.fields import MomentField
from eventhub_config.shared.schema import ProblemSerializer

SCANS_MAX = 1000
# What a camera reads may be anything; longer than this it is no code of ours.
CODE_MAX_LENGTH = 500
SCAN_ID = r"^[\x21-\x7e]{1,64}$"


@extend_schema_field({"type": "string", "pattern": r"^[\u0021-\u007e]{1,64}$", "examples": ["north-gate-0042"]})
class ScanIdField(serializers.RegexField):
    """What a device calls a scan."""

    default_error_messages = {"invalid": "Send 1 to 64 printable ASCII characters without spaces."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(SCAN_ID, **kwargs)


class CheckInSerializer(serializers.Serializer[Any]):
    """`{"code": "..."}` alone lets somebody in."""

    code = serializers.CharField(
        max_length=CODE_MAX_LENGTH,
        help_text="A ticket's code, or the reference of a booking of which one ticket is left.",
    )
    scan_id = ScanIdField(
        required=False,
        help_text="Chosen by the device, once per event: sent again, the scan is answered as the first time.",
    )
    scanned_at = MomentField(required=False, help_text="By the device's clock; left out, it is now.")

    def as_request(self) -> ScanRequest:
        return ScanRequest(**self.validated_data)


class ScanSerializer(CheckInSerializer):
    scan_id = ScanIdField(help_text="Chosen by the device, once per event.")
    scanned_at = MomentField(help_text="By the device's clock.")


class ScansSerializer(serializers.Serializer[Any]):
    """What a device scanned while it was offline, in its order."""

    scans: Any = serializers.ListSerializer(child=ScanSerializer(), allow_empty=False, max_length=SCANS_MAX)

    def as_requests(self) -> list[ScanRequest]:
        return [ScanRequest(**scan) for scan in self.validated_data["scans"]]


class PersonAtDoorSerializer(serializers.Serializer[Any]):
    """Who let somebody in."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class FoundTicketSerializer(serializers.Serializer[Any]):
    """A ticket as it was found at the door."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    ticket_type = serializers.IntegerField()
    holder_name = serializers.CharField(help_text="As given for this ticket; else of whoever booked it.")
    booking = serializers.IntegerField()
    booking_reference = serializers.CharField()
    status = serializers.ChoiceField(choices=Ticket.Status.choices)
    checked_in_at = MomentField(allow_null=True)
    checked_in_by = PersonAtDoorSerializer(allow_null=True)


class DoorProblemSerializer(ProblemSerializer):
    """A problem, with the tickets that it is about: used by whom and when, or which there are to choose from."""

    tickets = FoundTicketSerializer(many=True)


class ScanOutcomeSerializer(serializers.Serializer[Any]):
    """What came of one scan."""

    scan_id = serializers.CharField()
    outcome = serializers.CharField(help_text="`checked_in`, or the code that a check-in would be refused with.")
    detail = serializers.CharField(allow_blank=True, help_text="The refusal in words.")
    ticket = FoundTicketSerializer(allow_null=True, help_text="As it stands now.")


class ScanOutcomesSerializer(serializers.Serializer[Any]):
    results = ScanOutcomeSerializer(many=True, help_text="One for each scan, in the same order.")
    checked_in = serializers.IntegerField(help_text="How many of them let somebody in, now or when sent before.")
    refused = serializers.IntegerField()


def outcomes_body(outcomes: list[Outcome]) -> dict[str, Any]:
    refused = sum(outcome.refusal is not None for outcome in outcomes)
    return {
        "results": [
            {
                "scan_id": outcome.scan.scan_id,
                "outcome": outcome.code,
                "detail": outcome.refusal.detail if outcome.refusal else "",
                "ticket": as_found(outcome.ticket) if outcome.ticket else None,
            }
            for outcome in outcomes
        ],
        "checked_in": len(outcomes) - refused,
        "refused": refused,
    }


class DoorsClosedSerializer(serializers.Serializer[Any]):
    no_shows: Any = serializers.IntegerField(help_text="How many bookings became no-shows by this request.")


class DoorTypeSerializer(serializers.Serializer[Any]):
    """A ticket type's name, for the tickets that bear its id."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class DoorRowSerializer(serializers.Serializer[Any]):
    """A ticket on the list for the door."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField(help_text="The attendee's if it was given; else of whoever booked.")
    reference = serializers.CharField(help_text="The booking's.")
    ticket_type = serializers.IntegerField()
    state = serializers.ChoiceField(choices=DoorState.choices, help_text="Of the ticket and its booking together.")
    checked_in_at = MomentField(allow_null=True)
    note = serializers.CharField(allow_blank=True, help_text="What the booking says of special requirements.")


class DoorListSerializer(serializers.Serializer[Any]):
    """An event's tickets, short enough for a phone to keep."""

    event = serializers.IntegerField()
    changed_since = serializers.CharField(help_text="Send it the next time, to be told only what changed since.")
    next_after = serializers.IntegerField(
        allow_null=True, help_text=f"There are more than {TICKETS_AT_ONCE}: send it as `after`."
    )
    ticket_types = DoorTypeSerializer(many=True)
    tickets = DoorRowSerializer(many=True)
