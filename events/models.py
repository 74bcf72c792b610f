"""Events and what can be bought for them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now as current_time

from eventhub_config.shared import money
from eventhub_config.shared.models import ProtectedColumns
from eventhub_config.shared.transitions import StatusModel
from eventhub_config.shared.validators import (
    validate_language,
    validate_short_texts,
    validate_single_line,
    validate_timezone,
    validate_web_address,
)
from users.models import CustomUser


def validate_currency(code: str) -> None:
    if code not in money.currencies():
        raise ValidationError("Name an ISO 4217 currency that is in use, such as EUR.", code="invalid_currency")


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: CustomUser | AnonymousUser) -> "EventQuerySet":
        """Return the events this user may know about: public ones, their own, and all of them for an admin."""
        if not user.is_authenticated:
            return self.filter(published_at__isnull=False)
        if user.is_platform_admin:
            return self
        if user.runs_events:
            return self.filter(Q(published_at__isnull=False) | Q(organizer_id=user.pk))
        return self.filter(published_at__isnull=False)


class Event(ProtectedColumns, StatusModel):
    """Something that people book seats for.

    ``seats_taken`` is written by ``events.services.seats`` only, ``average_rating`` and ``review_count`` by the
    rating's service only, ``status`` by ``move_to`` only.
    """

    class Category(models.TextChoices):
        WORKSHOP = "workshop", "Workshop"
        WEBINAR = "webinar", "Webinar"
        CONFERENCE = "conference", "Conference"
        MASTER_CLASS = "master_class", "Master class"
        MEETUP = "meetup", "Meetup"
        TRAINING = "training", "Training"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        ONGOING = "ongoing", "Going on"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    class Format(models.TextChoices):
        IN_PERSON = "in_person", "In person"
        ONLINE = "online", "Online"
        HYBRID = "hybrid", "Hybrid"

    class AttendanceRule(models.TextChoices):
        CHECK_IN = "check_in", "Was checked in"
        CONFIRMED = "confirmed", "Was confirmed and not a no-show"

    class RefundPolicy(models.TextChoices):
        FULL = "full", "Everything back"
        PARTIAL = "partial", "A part back"
        NONE = "none", "Nothing back"

    TRANSITIONS: ClassVar = {
        Status.DRAFT: {Status.PUBLISHED, Status.CANCELLED},
        Status.PUBLISHED: {Status.ONGOING, Status.CANCELLED, Status.DRAFT},
        Status.ONGOING: {Status.COMPLETED, Status.CANCELLED},
    }
    INITIAL = frozenset({Status.DRAFT})
    PROTECTED_COLUMNS = frozenset(
        {"status", "status_changed_at", "seats_taken", "average_rating", "review_count", "published_at"}
    )

    organizer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"user_type__in": ["organizer", "admin"]},  # what the admin offers
    )
    slug = models.SlugField(max_length=120, unique=True)
    version = models.PositiveIntegerField(default=1, help_text="Rises with every edit, not with sales.")
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)

    title = models.CharField(max_length=160, validators=[validate_single_line])
    summary = models.CharField(max_length=300, blank=True, validators=[validate_single_line])
    description = models.TextField(max_length=20_000, blank=True)
    category = models.CharField(max_length=16, choices=Category)
    format = models.CharField(max_length=12, choices=Format, default=Format.IN_PERSON)
    language = models.CharField(max_length=12, default="en", validators=[validate_language])
    skills = models.JSONField(default=list, blank=True, validators=[validate_short_texts])
    hours = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(500)],
        help_text="Credited on the certificate.",
    )

    venue_name = models.CharField(max_length=160, blank=True, validators=[validate_single_line])
    address = models.CharField(max_length=300, blank=True, validators=[validate_single_line])
    city = models.CharField(max_length=120, blank=True, validators=[validate_single_line])
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2.")
    latitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    online_url = models.URLField(
        max_length=500, blank=True, validators=[validate_web_address], help_text="Shown to confirmed attendees only."
    )

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    registration_deadline = models.DateTimeField(null=True, blank=True, help_text="Empty: the start.")

    capacity = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: unlimited.")
    seats_taken = models.PositiveIntegerField(default=0, editable=False)
    currency = models.CharField(max_length=3, default="EUR", validators=[validate_currency])
    tax_rate = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Percent, included in the prices.",
    )

    attendance_rule = models.CharField(max_length=12, choices=AttendanceRule, default=AttendanceRule.CHECK_IN)
    refund_policy = models.CharField(max_length=8, choices=RefundPolicy, default=RefundPolicy.FULL)
    refund_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until the start.")
    refund_percent = models.PositiveSmallIntegerField(
        default=100, validators=[MaxValueValidator(100)], help_text="What a partial refund gives back."
    )

    average_rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True, editable=False)
    review_count = models.PositiveIntegerField(default=0, editable=False)

    first_published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set while the public may see it; empty for a draft."
    )
    cancellation_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=current_time, editable=False)
    updated_at = models.DateTimeField(default=current_time, editable=False)

    objects = EventQuerySet.as_manager()

    # Set where a whole page was read at once, see ``TicketTypeQuerySet.read_for``.
    read_types: "list[TicketType] | None" = None

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(seats_taken__lte=F("capacity")), name="events_event_not_oversold"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="events_event_ends_after_start"),
            models.CheckConstraint(
                condition=Q(registration_deadline__isnull=True) | Q(registration_deadline__lte=F("starts_at")),
                name="events_event_deadline_before_start",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | Q(published_at__isnull=False),
                name="events_event_public_is_published",
            ),
            models.CheckConstraint(
                condition=~Q(status="draft") | Q(published_at__isnull=True), name="events_event_draft_is_hidden"
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at", "id"], condition=Q(published_at__isnull=False), name="events_public_by_start"
            ),
            models.Index(fields=["organizer", "starts_at", "id"], name="events_by_organizer"),
            models.Index(fields=["status", "starts_at"], name="events_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.title}"

    @property
    def closes_at(self) -> datetime:
        """When registration ends."""
        return self.registration_deadline or self.starts_at

    @property
    def seats_left(self) -> int | None:
        return None if self.capacity is None else max(0, self.capacity - self.seats_taken)

    def types_on_view(self) -> "list[TicketType]":
        """Return the ticket types that everybody may see, in order."""
        return on_view(self.ticket_types.all() if self.read_types is None else self.read_types)

    def is_run_by(self, user: Any) -> bool:
        """Return whether this user may change the event."""
        return bool(user.is_platform_admin or user.pk == self.organizer_id)


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


def on_view(kinds: Iterable[TicketType]) -> list[TicketType]:
    """Return the ticket types among these that everybody may see, in their order."""
    return sorted((kind for kind in kinds if kind.is_visible), key=lambda kind: (kind.position, kind.pk))
