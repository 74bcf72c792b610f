"""Tickets: one seat of a booking each."""

from collections import Counter
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models.bookings import Booking
from bookings.models.visibility import own_or_run
from eventhub_config.shared import money
from eventhub_config.shared.references import ticket_code
from eventhub_config.shared.transitions import StatusModel
from events.models import Event, TicketType
from users.models import CustomUser

ATTENDEE_NAME_MAX_LENGTH = 160


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: CustomUser) -> "TicketQuerySet":
        """Return the tickets this user may know about: of their own bookings, and on events they run."""
        return own_or_run(self, user, owner="booking__user", event="event")

    def of_event(self, event_id: int) -> "TicketQuerySet":
        return self.filter(event_id=event_id)

    def attended(self) -> "TicketQuerySet":
        """Return the tickets whose holders attended, by the rule of their event. The only definition of it."""
        confirmed = Q(booking__status=Booking.Status.CONFIRMED)
        by_check_in = Q(event__attendance_rule=Event.AttendanceRule.CHECK_IN, status=Ticket.Status.CHECKED_IN)
        # Until the event is over, somebody may yet be marked as a no-show.
        by_confirmation = Q(
            event__attendance_rule=Event.AttendanceRule.CONFIRMED,
            event__status=Event.Status.COMPLETED,
            status__in=[Ticket.Status.VALID, Ticket.Status.CHECKED_IN],
        )
        return self.filter(confirmed & (by_check_in | by_confirmation))


class Ticket(StatusModel):
    """One seat of a booking, for one person.

    The tickets of an expired booking stay as they are: late money may yet confirm it, and check-in asks the booking
    first.
    """

    class Status(models.TextChoices):
        VALID = "valid", "Valid"
        CHECKED_IN = "checked_in", "Checked in"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS: ClassVar = {
        Status.VALID: {Status.CHECKED_IN, Status.CANCELLED},
        Status.CHECKED_IN: {Status.VALID, Status.CANCELLED},
    }
    INITIAL = frozenset({Status.VALID})
    RECORDS_CREATION = False

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="tickets")
    # The booking's, once more: an event's attendees are walked along one index. See docs/decisions/attendees.md. Null
    # for the length of an upgrade only: a web process of the version before writes tickets without it meanwhile.
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=20, unique=True, default=ticket_code, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.VALID)
    attendee_name = models.CharField(max_length=ATTENDEE_NAME_MAX_LENGTH, blank=True)
    attendee_email = models.EmailField(blank=True)
    price = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    checked_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["event", "id"], name="bookings_tickets_by_event")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.attendee_name or self.code}"

    @property
    def holder_name(self) -> str:
        """Whom to expect with this ticket, for those who run its event."""
        return self.attendee_name or self.booking.holder_name


def seats_by_type(tickets: Any) -> Counter[int]:
    """Return how many seats each ticket type gives to these tickets."""
    return Counter(ticket.ticket_type_id for ticket in tickets)
