"""Events."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Upper
from django.utils.timezone import now as current_time

from eventhub_config.shared import money
from eventhub_config.shared.models import ProtectedColumns, StoredImage
from eventhub_config.shared.transitions import StatusModel
from eventhub_config.shared.validators import (
    validate_language,
    validate_short_texts,
    validate_single_line,
    validate_timezone,
    validate_web_address,
)
from users.models import CustomUser

if TYPE_CHECKING:
    from events.models.ticket_types import TicketType

SLUG_MAX_LENGTH = 120
VISIBILITY = ("published_at", "organizer")
# What lists compare and order by: an event without reviews comes after all that have some.
RATING_OR_NONE = Coalesce("average_rating", Value(Decimal(0)), output_field=models.DecimalField())
# The same where the dearest come first.
PRICE_OR_NONE = Coalesce("lowest_price", Value(Decimal(-1)), output_field=models.DecimalField())


def validate_currency(code: str) -> None:
    if code not in money.currencies():
        raise ValidationError("Name an ISO 4217 currency that is in use, such as EUR.", code="invalid_currency")


def known_to(user: CustomUser | AnonymousUser, path: str = "") -> Q:
    """Return the condition of events that a user may know about: public ones, their own, and all for an admin.

    ``path`` leads from the asked row to its event, such as ``event__``.
    """
    public = Q(**{f"{path}published_at__isnull": False})
    if not user.is_authenticated:
        return public
    if user.is_platform_admin:
        return Q()
    return public | Q(**{f"{path}organizer_id": user.pk}) if user.runs_events else public


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: CustomUser | AnonymousUser) -> "EventQuerySet":
        """Return the events this user may know about: public ones, their own, and all of them for an admin."""
        return self.filter(known_to(user))


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
        {
            "status", "status_changed_at", "seats_taken", "first_booked_at", "average_rating", "review_count",
            "published_at", "cover", "lowest_price",
        }
    )  # fmt: skip

    organizer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"user_type__in": ["organizer", "admin"]},  # what the admin offers
    )
    slug = models.SlugField(max_length=SLUG_MAX_LENGTH, unique=True)
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
    first_booked_at = models.DateTimeField(null=True, blank=True, editable=False)
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

    # Their pictures' key is all that an answer needs of it: no join.
    cover = models.ForeignKey(
        StoredImage, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    # The lowest price of the ticket types on view, for filter and order; kept by the services of ticket types.
    lowest_price = models.DecimalField(
        max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES, null=True, blank=True, editable=False
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
            # One for each filter and each order of the list, none of them on a counter: an index on `seats_taken` would
            # make every booking write all of them. Not of public events only: an organizer's list has drafts in it.
            # With what visibility depends on, so that rows are counted without being fetched.
            models.Index(fields=["starts_at", "id"], include=VISIBILITY, name="events_by_start"),
            models.Index(fields=["ends_at", "id"], include=VISIBILITY, name="events_by_end"),
            models.Index(fields=["organizer", "starts_at", "id"], include=["published_at"], name="events_by_organizer"),
            models.Index(fields=["status", "starts_at", "id"], include=VISIBILITY, name="events_by_status"),
            models.Index(fields=["category", "starts_at", "id"], include=VISIBILITY, name="events_by_category"),
            models.Index(fields=["format", "starts_at", "id"], include=VISIBILITY, name="events_by_format"),
            models.Index(fields=["language", "starts_at", "id"], include=VISIBILITY, name="events_by_language"),
            models.Index(fields=["country", "starts_at", "id"], include=VISIBILITY, name="events_by_country"),
            models.Index(Upper("city"), "starts_at", "id", include=["city", *VISIBILITY], name="events_by_city"),
            models.Index(fields=["currency", "lowest_price", "id"], include=VISIBILITY, name="events_by_currency"),
            models.Index(fields=["lowest_price", "id"], include=VISIBILITY, name="events_by_price"),
            models.Index(PRICE_OR_NONE, "id", include=["lowest_price", *VISIBILITY], name="events_by_falling_price"),
            models.Index(RATING_OR_NONE, "id", include=["average_rating", *VISIBILITY], name="events_by_rating"),
            models.Index(fields=["title", "id"], include=VISIBILITY, name="events_by_title"),
            models.Index(fields=["created_at", "id"], include=VISIBILITY, name="events_by_creation"),
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
        kinds = self.ticket_types.all() if self.read_types is None else self.read_types
        return on_view(kinds)

    def is_run_by(self, user: Any) -> bool:
        """Return whether this user may change the event."""
        return bool(user.is_platform_admin or user.pk == self.organizer_id)


def on_view(kinds: "Iterable[TicketType]") -> "list[TicketType]":
    """Return the ticket types among these that everybody may see, in their order."""
    return sorted((kind for kind in kinds if kind.is_visible), key=lambda kind: (kind.position, kind.pk))


class EventSlug(models.Model):
    """Every slug that an event ever had: old links go on leading to it, and nobody else gets them."""

    slug = models.SlugField(max_length=SLUG_MAX_LENGTH, primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="slugs")

    def __str__(self) -> str:
        return f"{self.slug} of event {self.event_id}"
