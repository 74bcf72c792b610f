"""What can be bought for an event."""

from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from eventhub_config.shared import money
from eventhub_config.shared.models import ProtectedColumns
from events.models.events import Event
from users.models import CustomUser


class TicketTypeQuerySet(models.QuerySet["TicketType"]):
    def visible_to(self, user: CustomUser | AnonymousUser) -> "TicketTypeQuerySet":
        """Return the ticket types this user may know about: hidden ones are for those who run the event."""
        if not user.is_authenticated:
            return self.filter(event__published_at__isnull=False, is_visible=True)
        if user.is_platform_admin:
            return self
        public = Q(event__published_at__isnull=False, is_visible=True)
        return self.filter(public | Q(event__organizer_id=user.pk)) if user.runs_events else self.filter(public)

    def in_order(self) -> "TicketTypeQuerySet":
        return self.order_by("position", "id")

    def read_for(self, events: list[Event]) -> None:
        """Read the ticket types of a page of events in one statement, into their ``read_types``.

        For the public list: ``prefetch_related`` takes three times as long to put the same together.
        """
        by_event: dict[int, list[TicketType]] = {event.pk: [] for event in events}
        if by_event:
            places = ", ".join(["%s"] * len(by_event))
            sql = f"SELECT * FROM {self.model._meta.db_table} WHERE event_id IN ({places}) ORDER BY position, id"  # noqa: S608
            for kind in self.raw(sql, list(by_event)):
                by_event[kind.event_id].append(kind)
        for event in events:
            event.read_types = by_event[event.pk]


class TicketType(ProtectedColumns):
    """One kind of seat at an event, with its price.

    ``seats_taken`` and ``waiting_count`` are written by services only.
    """

    PROTECTED_COLUMNS = frozenset({"seats_taken", "waiting_count"})

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="ticket_types")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=500, blank=True)
    price = models.DecimalField(
        max_digits=money.MAX_DIGITS,
        decimal_places=money.DECIMAL_PLACES,
        default=Decimal(0),
        help_text="For one seat, in the event's currency, tax included; 0 is free.",
    )
    quantity = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: limited by the event's capacity only."
    )
    seats_taken = models.PositiveIntegerField(default=0, editable=False)
    waiting_count = models.PositiveIntegerField(
        default=0, editable=False, help_text="People on the waitlist; while there are any, nobody books past them."
    )
    sales_start_at = models.DateTimeField(null=True, blank=True)
    sales_end_at = models.DateTimeField(null=True, blank=True)
    min_per_booking = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    max_per_booking = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(1)])
    is_visible = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    objects = TicketTypeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(seats_taken__lte=F("quantity")), name="events_type_not_oversold"
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="events_type_price_not_negative"),
            models.CheckConstraint(
                condition=Q(min_per_booking__gte=1) & Q(max_per_booking__gte=F("min_per_booking")),
                name="events_type_limits_in_order",
            ),
            models.CheckConstraint(
                condition=Q(sales_start_at__isnull=True)
                | Q(sales_end_at__isnull=True)
                | Q(sales_end_at__gt=F("sales_start_at")),
                name="events_type_sales_window",
            ),
            models.UniqueConstraint(fields=["event", "name"], name="events_type_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.name}"

    @property
    def seats_left(self) -> int | None:
        """Seats of this type that are left, without regard to the event's capacity."""
        return None if self.quantity is None else max(0, self.quantity - self.seats_taken)
