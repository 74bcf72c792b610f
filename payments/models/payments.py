"""Payments for bookings, and refunds of them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from bookings.models import Booking, own_or_run
from eventhub_config.shared import money
from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.transitions import StatusModel
from users.models import CustomUser


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, user: CustomUser) -> "PaymentQuerySet":
        return own_or_run(self, user, owner="booking__user", event="booking__event")

    def taken(self) -> "PaymentQuerySet":
        """Return the payments whose money came in, whatever went back since."""
        return self.filter(status__in=Payment.TAKEN)


class Payment(OwedWork, StatusModel):
    """One try to pay for a booking.

    A worker takes it to the gateway under ``gateway_key``, which makes a repeat harmless.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for the gateway"
        PROCESSING = "processing", "At the gateway"
        COMPLETED = "completed", "Paid"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        PARTIALLY_REFUNDED = "partially_refunded", "Partly refunded"
        REFUNDED = "refunded", "Refunded"

    class Method(models.TextChoices):
        CARD = "card", "Card"
        BANK_TRANSFER = "bank_transfer", "Bank transfer"
        WALLET = "wallet", "Wallet"
        CASH = "cash", "Cash"

    BY_HAND: ClassVar = "by_hand"  # the gateway of money that people took, not machines
    WRONG_AMOUNT: ClassVar = "wrong_amount"  # why a completed payment confirmed nothing and went back

    OPEN: ClassVar = (Status.PENDING, Status.PROCESSING)
    TAKEN: ClassVar = (Status.COMPLETED, Status.PARTIALLY_REFUNDED, Status.REFUNDED)
    TRANSITIONS: ClassVar = {
        Status.PENDING: {Status.PROCESSING, Status.FAILED, Status.CANCELLED, Status.COMPLETED},
        Status.PROCESSING: {Status.COMPLETED, Status.FAILED},
        Status.FAILED: {Status.COMPLETED},  # a success that the gateway proves, however late
        Status.COMPLETED: {Status.PARTIALLY_REFUNDED, Status.REFUNDED},
        Status.PARTIALLY_REFUNDED: {Status.REFUNDED},
    }
    INITIAL = frozenset({Status.PENDING})

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    method = models.CharField(max_length=16, choices=Method, default=Method.CARD)
    gateway = models.CharField(max_length=20)
    gateway_key = models.CharField(max_length=40, unique=True, default=opaque_key, editable=False)
    gateway_reference = models.CharField(max_length=80, blank=True)
    token = models.CharField(
        max_length=80, blank=True, help_text="What the client got from the gateway; kept until it is used."
    )
    next_action_url = models.URLField(
        max_length=2000, blank=True, help_text="Where the person has to go to finish paying."
    )
    failure_code = models.CharField(max_length=40, blank=True)
    note = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="What was said when it was recorded by hand."
    )
    refunded_amount = models.DecimalField(
        max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES, default=money.ZERO
    )
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["booking"],
                condition=Q(status__in=["pending", "processing"]),
                name="payments_one_open_per_booking",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_amount_positive"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0) & Q(refunded_amount__lte=F("amount")),
                name="payments_refunded_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["booking", "status"], name="payments_by_booking"),
            models.Index(
                fields=["next_attempt_at"], condition=Q(status__in=["pending", "processing"]), name="payments_open_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {money.as_text(self.amount, self.currency)} {self.currency}"


class RefundQuerySet(models.QuerySet["Refund"]):
    def visible_to(self, user: CustomUser) -> "RefundQuerySet":
        return own_or_run(self, user, owner="payment__booking__user", event="payment__booking__event")

    def counting(self) -> "RefundQuerySet":
        """Return the refunds that went back or are on their way."""
        return self.exclude(status=Refund.Status.FAILED)


class Refund(OwedWork, StatusModel):
    """Money of one payment that goes back. Sent by a worker under its own ``gateway_key``."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        PROCESSING = "processing", "At the gateway"
        COMPLETED = "completed", "Refunded"
        FAILED = "failed", "Failed"

    TRANSITIONS: ClassVar = {
        Status.REQUESTED: {Status.PROCESSING},
        Status.PROCESSING: {Status.COMPLETED, Status.FAILED},
        Status.FAILED: {Status.PROCESSING},
    }
    INITIAL = frozenset({Status.REQUESTED})

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    reason = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.REQUESTED)
    gateway_key = models.CharField(max_length=40, unique=True, default=opaque_key, editable=False)
    gateway_reference = models.CharField(max_length=80, blank=True)
    failure_code = models.CharField(max_length=40, blank=True, default="", db_default="")
    by_hand_note = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="How it was given back past the gateway, when a person did that.",
    )
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="payments_refund_positive")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status__in=["requested", "processing"]),
                name="payments_refund_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.amount.normalize():f} of payment {self.payment_id}"
