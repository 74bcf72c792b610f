"""Tickets as PDF files and bookings as calendar files, over HTTP."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.downloads import TICKET, TICKETS
from bookings.models import Booking, Ticket
from bookings.serializers import BookingSerializer
from bookings.services import resend_confirmation, ticket_on_paper, tickets_on_paper
from bookings.services.paper import CALENDAR, NotConfirmed, calendar_of_booking, require_papers
from bookings.services.resending import SentJustNow
from eventhub_config.shared.documents.serving import (
    DISPOSITION,
    PDF_RESPONSES,
    FileRenderer,
    PdfRenderer,
    count_document,
    file_response,
)
from eventhub_config.shared.download_links import DownloadLinkSerializer, download_link
from eventhub_config.shared.permissions import SignedIn
from eventhub_config.shared.views import ApiViewSet
from events.availability import EventIsCancelled

REFUSALS = (NotConfirmed, EventIsCancelled)
LINK = "An address that works without signing in, for five minutes and for whoever has it."


class CalendarRenderer(FileRenderer):
    media_type = CALENDAR
    format = "ics"


class BookingPaperViewSet(ApiViewSet):
    # Paths of bookings; what they answer with is no resource.
    access = {
        "tickets_pdf": SignedIn,
        "download_link": SignedIn,
        "calendar": SignedIn,
        "resend_confirmation": SignedIn,
    }
    problems = {"tickets_pdf": REFUSALS, "download_link": REFUSALS, "resend_confirmation": (*REFUSALS, SentJustNow)}
    filter_backends = ()
    pagination_class = None
    queryset = Booking.objects.none()

    def get_queryset(self) -> QuerySet[Booking]:
        return Booking.objects.visible_to(self.caller).select_related("event__organizer").prefetch_related("tickets")

    @extend_schema(
        summary="The tickets of a booking as PDF",
        description="One page each, with a QR code of the ticket's `code`.",
        parameters=[DISPOSITION],
        responses=PDF_RESPONSES,
    )
    @action(detail=True, renderer_classes=(PdfRenderer,))
    def tickets_pdf(self, request: Request, pk: str) -> Response:
        count_document(self.caller.pk)
        return file_response(tickets_on_paper(booking_id=int(pk), user=self.caller))

    @extend_schema(
        summary="Make a link to the tickets of a booking", description=LINK, request=None,
        responses=DownloadLinkSerializer,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def download_link(self, request: Request, pk: str) -> Response:
        booking: Booking = self.get_object()
        require_papers(booking)
        return Response(download_link(request, kind=TICKETS, object_id=booking.pk, now=self.now))

    @extend_schema(
        summary="A booked event as a calendar file",
        description=(
            "iCalendar (RFC 5545), with the booking's reference. A booking that was cancelled or has expired is "
            "cancelled there too. Never with the online link, which is told by `eligibility` only."
        ),
        parameters=[DISPOSITION],
        responses={(200, CALENDAR): OpenApiTypes.STR},
    )
    @action(detail=True, renderer_classes=(CalendarRenderer,))
    def calendar(self, request: Request, pk: str) -> Response:
        return file_response(calendar_of_booking(self.get_object()))

    @extend_schema(
        summary="Send the confirmation of a booking again",
        description="By mail to the person who booked, with the tickets. Once in five minutes.",
        request=None,
        responses=BookingSerializer,
    )
    @action(detail=True, methods=["post"], serializer_class=BookingSerializer)
    def resend_confirmation(self, request: Request, pk: str) -> Response:
        resend_confirmation(booking_id=self.get_object().pk, actor=self.caller, now=self.now)
        return Response(self.get_serializer(self.get_object()).data)


class TicketPaperViewSet(ApiViewSet):
    access = {"pdf": SignedIn, "download_link": SignedIn}
    problems = {"pdf": REFUSALS, "download_link": REFUSALS}
    filter_backends = ()
    pagination_class = None
    queryset = Ticket.objects.none()

    def get_queryset(self) -> QuerySet[Ticket]:
        return Ticket.objects.visible_to(self.caller).select_related("booking__event")

    @extend_schema(
        summary="A ticket as PDF",
        description="One page, with a QR code of the ticket's `code`.",
        parameters=[DISPOSITION],
        responses=PDF_RESPONSES,
    )
    @action(detail=True, renderer_classes=(PdfRenderer,))
    def pdf(self, request: Request, pk: str) -> Response:
        count_document(self.caller.pk)
        return file_response(ticket_on_paper(ticket_id=int(pk), user=self.caller))

    @extend_schema(summary="Make a link to a ticket", description=LINK, request=None, responses=DownloadLinkSerializer)
    @action(detail=True, methods=["post"])
    def download_link(self, request: Request, pk: str) -> Response:
        ticket: Ticket = self.get_object()
        require_papers(ticket.booking)
        return Response(download_link(request, kind=TICKET, object_id=ticket.pk, now=self.now))
