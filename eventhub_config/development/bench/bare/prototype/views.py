"""Lists, details, bookings with the event's row locked, and check-in with the ticket's."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from prototype.models import Booking, Event, Ticket
from prototype.serializers import (
    BookingCreateSerializer,
    BookingSerializer,
    CheckInSerializer,
    EventSerializer,
    TicketSerializer,
)


class EventViewSet(viewsets.ReadOnlyModelViewSet[Event]):
    serializer_class = EventSerializer
    queryset = (
        Event.objects.filter(status="published")
        .select_related("organizer")
        .prefetch_related("ticket_types")
        .order_by("starts_at", "pk")
    )

    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def check_in(self, request: Request, pk: str) -> Response:
        body = CheckInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event = get_object_or_404(Event, pk=pk, organizer=request.user)
        with transaction.atomic():
            tickets = Ticket.objects.select_for_update(of=("self",)).select_related("booking")
            ticket = tickets.filter(booking__event=event, code=body.validated_data["code"]).first()
            if ticket is None or ticket.status != "valid" or ticket.booking.status != "confirmed":
                return Response({"code": "refused"}, status=409)
            ticket.status, ticket.checked_in_at = "checked_in", timezone.now()
            ticket.save(update_fields=["status", "checked_in_at"])
        return Response(TicketSerializer(ticket).data)


class BookingViewSet(mixins.CreateModelMixin, viewsets.GenericViewSet[Booking]):
    permission_classes = [IsAuthenticated]
    queryset = Booking.objects.all()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        body = BookingCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data["tickets"]
        with transaction.atomic():
            event = Event.objects.select_for_update().get(pk=body.validated_data["event"])
            if event.seats_left is not None and event.seats_left < len(wanted):
                return Response({"code": "sold_out"}, status=409)
            booking = Booking.objects.create(
                event=event,
                user=request.user,
                seats=len(wanted),
                total_amount=0,
                amount_due=0,
                currency=event.currency,
                confirmed_at=timezone.now(),
            )
            booking.made_tickets = [
                Ticket.objects.create(
                    booking=booking,
                    ticket_type_id=ticket["ticket_type"],
                    attendee_name=ticket.get("attendee_name", request.user.get_full_name()),
                    attendee_email=ticket.get("attendee_email", request.user.email),
                    price=0,
                )
                for ticket in wanted
            ]
            event.seats_taken += len(wanted)
            event.save(update_fields=["seats_taken"])
        return Response(BookingSerializer(booking).data, status=201)
