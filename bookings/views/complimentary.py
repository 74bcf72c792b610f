"""Complimentary bookings over HTTP, under the address of their event."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.gift_files import FileRefused, Imported, content_of, import_file, preview
from bookings.models import Booking
from bookings.serializers import (
    BookingSerializer,
    GiftFileSerializer,
    GiftSerializer,
    GiftTextSerializer,
    ImportSerializer,
)
from bookings.services import give_booking
from bookings.services.booking import AlreadyBooked, TooManySeats
from bookings.services.complimentary import InvitationsPaused
from eventhub_config.shared.errors import InvalidInput
from eventhub_config.shared.idempotency import idempotency_key
from eventhub_config.shared.parsing import StrictJSONParser
from eventhub_config.shared.permissions import OrganizerOrAdmin
from eventhub_config.shared.views import ApiViewSet
from events.availability import EventIsCancelled, NotPublished, SoldOut, WaitlistOpen
from events.models import Event
from events.services.editing import EventIsOver, NotOwner, require_owner
from events.services.seats import EventChanged

_OF_EVENT = (NotOwner, NotPublished, EventIsCancelled, EventIsOver, EventChanged, InvitationsPaused)


class ComplimentaryViewSet(ApiViewSet):
    access = {"complimentary": OrganizerOrAdmin, "complimentary_import": OrganizerOrAdmin}
    problems = {
        "complimentary": (*_OF_EVENT, AlreadyBooked, TooManySeats, SoldOut, WaitlistOpen),
        "complimentary_import": (*_OF_EVENT, FileRefused),
    }
    idempotent = frozenset({"complimentary"})
    queryset = Booking.objects.none()
    serializer_class = BookingSerializer
    filterset_class = None
    pagination_class = None

    @extend_schema(
        summary="Give somebody seats for nothing",
        description=(
            "By those who run the event, until it ends. Confirmed at once; the person is told by mail. An account is "
            "made for an address that has none. The answer is the same either way."
        ),
        request=GiftSerializer,
        responses={201: BookingSerializer},
    )
    @action(detail=True, methods=["post"])
    def complimentary(self, request: Request, pk: str) -> Response:
        event = self._event(pk)
        body = GiftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        booking = give_booking(event_id=event.pk, gift=body.as_gift(), actor=self.caller, now=self.now, key=key)
        return Response(self.get_serializer(booking).data, status=201, headers=key.headers())

    @extend_schema(
        summary="Give seats to everybody on a list",
        description=(
            "All of them or, if one line is refused, none. With `dry_run` nothing is done: `problems` names what is "
            "wrong with which line."
        ),
        request={"multipart/form-data": GiftFileSerializer, "application/json": GiftTextSerializer},
        responses=ImportSerializer,
    )
    @action(detail=True, methods=["post"], parser_classes=[StrictJSONParser, MultiPartParser])
    def complimentary_import(self, request: Request, pk: str) -> Response:
        event = self._event(pk)
        is_json = request.content_type.partition(";")[0].strip() == StrictJSONParser.media_type
        body = (GiftTextSerializer if is_json else GiftFileSerializer)(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        content = values.get("csv") if is_json else content_of(values.get("file"))
        if not content:
            name = "csv" if is_json else "file"
            raise InvalidInput.field(name, "required", "Send the list.")
        work = preview if values["dry_run"] else import_file
        done = work(event=event, content=content, reason=values["reason"], actor=self.caller, now=self.now)
        return Response(_body(done, dry_run=values["dry_run"]))

    def _event(self, pk: str) -> Event:
        event = get_object_or_404(Event.objects.visible_to(self.caller), pk=pk)
        require_owner(event, self.caller)
        return event


def _body(done: Imported, *, dry_run: bool) -> dict[str, Any]:
    return {
        "is_accepted": not done.problems,
        "dry_run": dry_run,
        "bookings": [booking.pk for booking in done.bookings],
        "lines": len(done.good),
        "seats": done.seats,
        "problems": [problem._asdict() for problem in done.problems],
    }
