"""Bookings: claims of people on seats."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models.visibility import own_or_run
from eventhub_config.shared import money
from eventhub_config.shared.references import booking_reference
from eventhub_config.shared.transitions import StatusModel
from events.models import Event
from users.models import CustomUser

if TYPE_CHECKING:
    from bookings.models.tickets import Ticket


class BookingQuerySet(models.QuerySet["Booking"]):
    def visible_to(self, user: CustomUser) -> "BookingQuerySet":
        """Return the bookings this user may know about: their own, and those on events they run."""
        return own_or_run(self, user, owner="user", event="event")

    def active(self) -> "BookingQuerySet":
        return self.filter(status__in=Booking.ACTIVE)


class Booking(StatusModel):
    """A claim of one user on some seats of one event.

    ``amount_due`` is what Event Hub may keep of what was paid: the price while the booking stands, what the refund
    policy retains once it is cancelled, nothing once it has expired.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Awaiting payment"
        CONFIRMED = "confirmed", "Confirmed"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired unpaid"
        NO_SHOW = "no_show", "Did not come"

    ACTIVE: ClassVar = (Status.PENDING, Status.CONFIRMED, Status.NO_SHOW)
    # The whole state machine. CANCELLED is final: a change of mind is a new booking.
    TRANSITIONS: ClassVar = {
        Status.PENDING: {Status.CONFIRMED, Status.CANCELLED, Status.EXPIRED},
        Status.CONFIRMED: {Status.CANCELLED, Status.NO_SHOW},
        Status.NO_SHOW: {Status.CONFIRMED},
        Status.EXPIRED: {Status.CONFIRMED},  # money that arrived late, see confirm_late_payment
    }
    INITIAL = frozenset({Status.PENDING, Status.CONFIRMED})

    reference = models.CharField(max_length=12, unique=True, default=booking_reference, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status)

    seats = models.PositiveIntegerField()
    total_amount = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    amount_due = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    currency = models.CharField(max_length=3)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2)
    refund_policy = models.CharField(max_length=8, choices=Event.RefundPolicy)
    refund_until = models.DateTimeField(help_text="Later cancellations by the attendee give nothing back.")
    refund_percent = models.PositiveSmallIntegerField()

    # Set when the event is moved: what nobody booked for can be given back for nothing.
    free_cancellation_until = models.DateTimeField(null=True, blank=True)
    move_notice_owed_since = models.DateTimeField(
        null=True, blank=True, help_text="The event was moved then, and the person has not been told yet."
    )

    special_requirements = models.JSONField(default=dict, blank=True)
    billing = models.JSONField(default=dict, blank=True)

    expires_at = models.DateTimeField(null=True, blank=True, help_text="Until when unpaid seats are held.")
    hold_extended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancellation_reason = models.CharField(max_length=500, blank=True)
    confirmation_resent_at = models.DateTimeField(null=True, blank=True)

    # The database knows the defaults too: a web process of the version before writes bookings without these columns.
    waiver_reason = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="Why nothing is due: a complimentary booking, or one that was confirmed without a payment.",
    )
    invited_as = models.CharField(
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text="What the organizer called the person that a complimentary booking was made for.",
    )

    objects = BookingQuerySet.as_manager()

    # Set by whoever just wrote the tickets, so that they are not read again.
    written_tickets: "list[Ticket] | None" = None

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event"],
                condition=Q(status__in=["pending", "confirmed", "no_show"]),
                name="bookings_one_active_per_event",
            ),
            models.CheckConstraint(condition=Q(seats__gte=1), name="bookings_has_a_seat"),
            models.CheckConstraint(
                condition=Q(amount_due__gte=0) & Q(amount_due__lte=models.F("total_amount")),
                name="bookings_due_in_range",
            ),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(expires_at__isnull=False), name="bookings_pending_has_deadline"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="bookings_by_user"),
            models.Index(fields=["event", "status"], name="bookings_by_event"),
            models.Index(fields=["expires_at"], condition=Q(status="pending"), name="bookings_holds"),
            models.Index(
                fields=["move_notice_owed_since"],
                condition=Q(move_notice_owed_since__isnull=False),
                name="bookings_to_tell_of_a_move",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.reference}"

    @property
    def holder_name(self) -> str:
        """What those who run the event call whoever has this booking.

        Somebody who was invited is called what the organizer called them: that an address has an account, and whose
        it is, must not be found out by inviting it.
        """
        return self.invited_as or self.user.display_name

    @property
    def holder_email(self) -> str:
        """The account's address, for those who run the event; of somebody who was invited they know their own."""
        return "" if self.invited_as else self.user.email

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    def is_overdue(self, now: datetime) -> bool:
        """Return whether this is a hold that has run out, whether or not anybody has closed it yet."""
        return self.status == self.Status.PENDING and self.expires_at is not None and self.expires_at <= now

    def tickets_in_order(self) -> "list[Ticket]":
        return self.written_tickets or sorted(self.tickets.all(), key=lambda ticket: ticket.pk)
