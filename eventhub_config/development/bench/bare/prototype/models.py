"""The same columns as Event Hub's, and the one constraint that everybody writes."""

import secrets
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import models
from django.utils.timezone import now


class Event(models.Model):
    organizer = models.ForeignKey(User, on_delete=models.PROTECT)
    slug = models.SlugField(max_length=120, unique=True)
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=12, default="published", db_index=True)
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=16)
    format = models.CharField(max_length=12, default="in_person")
    language = models.CharField(max_length=12, default="en")
    skills = models.JSONField(default=list)
    hours = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    venue_name = models.CharField(max_length=160, blank=True)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, default="UTC")
    registration_deadline = models.DateTimeField(null=True)
    capacity = models.PositiveIntegerField(null=True)
    seats_taken = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="EUR")
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    attendance_rule = models.CharField(max_length=12, default="check_in")
    refund_policy = models.CharField(max_length=8, default="full")
    refund_until = models.DateTimeField(null=True)
    refund_percent = models.PositiveSmallIntegerField(default=100)
    cancellation_reason = models.CharField(max_length=500, blank=True)
    average_rating = models.DecimalField(max_digits=3, decimal_places=2, null=True)
    review_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.title

    @property
    def seats_left(self) -> int | None:
        return None if self.capacity is None else self.capacity - self.seats_taken

    @property
    def unavailable_reason(self) -> str | None:
        if self.status != "published":
            return "not_published"
        if now() >= (self.registration_deadline or self.starts_at):
            return "registration_closed"
        return "sold_out" if self.seats_left == 0 else None

    @property
    def is_bookable(self) -> bool:
        return self.unavailable_reason is None

    @property
    def price(self) -> Decimal | None:
        return min((kind.price for kind in self.ticket_types.all()), default=None)


class TicketType(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="ticket_types")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=500, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    quantity = models.PositiveIntegerField(null=True)
    seats_taken = models.PositiveIntegerField(default=0)
    sales_start_at = models.DateTimeField(null=True)
    sales_end_at = models.DateTimeField(null=True)
    min_per_booking = models.PositiveSmallIntegerField(default=1)
    max_per_booking = models.PositiveSmallIntegerField(default=10)
    is_visible = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @property
    def seats_left(self) -> int | None:
        return None if self.quantity is None else self.quantity - self.seats_taken


def reference() -> str:
    return secrets.token_hex(5)


def code() -> str:
    return secrets.token_hex(10)


class Booking(models.Model):
    reference = models.CharField(max_length=12, unique=True, default=reference)
    event = models.ForeignKey(Event, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    status = models.CharField(max_length=10, default="confirmed")
    seats = models.PositiveIntegerField()
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    amount_due = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    special_requirements = models.JSONField(default=dict)
    billing = models.JSONField(default=dict)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancellation_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event"],
                condition=models.Q(status__in=["pending", "confirmed"]),
                name="prototype_one_active_booking",
            )
        ]

    def __str__(self) -> str:
        return self.reference


class Ticket(models.Model):
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="tickets")
    ticket_type = models.ForeignKey(TicketType, on_delete=models.PROTECT)
    code = models.CharField(max_length=20, unique=True, default=code)
    status = models.CharField(max_length=10, default="valid")
    attendee_name = models.CharField(max_length=160, blank=True)
    attendee_email = models.EmailField(blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    checked_in_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.code
