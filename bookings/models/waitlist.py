"""The waitlist: people who queue for seats of a ticket type."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models.bookings import Booking
from bookings.models.visibility import own_or_run
from eventhub_config.shared.transitions import StatusModel
from events.models import Event, TicketType
from users.models import CustomUser


class WaitlistQuerySet(models.QuerySet["Waitlist"]):
    def visible_to(self, user: CustomUser) -> "WaitlistQuerySet":
        """Return the entries this user may know about: their own, and those on events they run."""
        return own_or_run(self, user, owner="user", event="event")

    def active(self) -> "WaitlistQuerySet":
        return self.filter(status__in=Waitlist.ACTIVE)

    def in_queue(self) -> "WaitlistQuerySet":
        """Return those who still wait, in the order in which they are served.

        By id: entries are made under the lock of their event, so their ids are the order in which they joined, whatever
        the clocks of several web processes say.
        """
        return self.filter(status=Waitlist.Status.WAITING).order_by("pk")


class Waitlist(StatusModel):
    """A party's place in the queue for one ticket type of an event; ``seats`` is the size of the party."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        OFFERED = "offered", "Seats offered"
        ACCEPTED = "accepted", "Booked"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "Offer lapsed"
        LEFT = "left", "Left the queue"
        CLOSED = "closed", "Closed"

    ACTIVE: ClassVar = (Status.WAITING, Status.OFFERED)
    TRANSITIONS: ClassVar = {
        Status.WAITING: {Status.OFFERED, Status.LEFT, Status.CLOSED},
        Status.OFFERED: {Status.ACCEPTED, Status.DECLINED, Status.LAPSED, Status.LEFT, Status.CLOSED},
    }
    INITIAL = frozenset({Status.WAITING})

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    seats = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=Status)
    created_at = models.DateTimeField()

    # While the party is first in the queue and larger than what is free, others wait with it, but not for ever.
    blocked_since = models.DateTimeField(
        null=True, blank=True, help_text="Since then there were seats, but fewer than this party needs."
    )
    passed_over_at = models.DateTimeField(
        null=True, blank=True, help_text="When a smaller party behind was served first, because this one did not fit."
    )

    offered_at = models.DateTimeField(null=True, blank=True)
    offer_expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Until when the seats offered are held for this party."
    )
    booking = models.OneToOneField(
        Booking,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="waitlist_entry",
        help_text="Once accepted.",
    )

    objects = WaitlistQuerySet.as_manager()

    class Meta:
        verbose_name = "waitlist entry"
        verbose_name_plural = "waitlist entries"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event"],
                condition=Q(status__in=["waiting", "offered"]),
                name="bookings_waitlist_one_place_each",
            ),
            models.CheckConstraint(condition=Q(seats__gte=1), name="bookings_waitlist_has_a_seat"),
            models.CheckConstraint(
                condition=~Q(status="offered") | Q(offer_expires_at__isnull=False),
                name="bookings_waitlist_offer_has_deadline",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | Q(booking__isnull=False),
                name="bookings_waitlist_accepted_has_booking",
            ),
        ]
        indexes = [
            models.Index(fields=["ticket_type", "id"], condition=Q(status="waiting"), name="bookings_waitlist_queue"),
            models.Index(fields=["offer_expires_at"], condition=Q(status="offered"), name="bookings_waitlist_offers"),
            models.Index(fields=["user", "-id"], name="bookings_waitlist_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.seats} for ticket type {self.ticket_type_id}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    def is_overdue(self, now: datetime) -> bool:
        """Return whether this is an offer that has run out, whether or not anybody has passed it on yet."""
        return self.status == self.Status.OFFERED and self.offer_expires_at is not None and self.offer_expires_at <= now
