"""Invoices and credit notes: numbered without gaps, and never changed."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models import Booking, own_or_run
from eventhub_config.shared import money
from eventhub_config.shared.owed_work import OwedWork
from payments.models.payments import Payment, Refund
from users.models import CustomUser


class InvoiceImmutable(Exception):
    """Somebody tried to change or delete an invoice; a credit note corrects it."""


class InvoiceSeries(models.Model):
    """The numbers of one organizer and kind.

    Its row is locked while a number is drawn, so that a rollback leaves no gap.
    """

    organizer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    prefix = models.CharField(max_length=20)
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organizer", "kind"], name="payments_series_once"),
            models.UniqueConstraint(fields=["prefix", "kind"], name="payments_series_prefix_once"),
        ]
        verbose_name_plural = "invoice series"

    def __str__(self) -> str:
        return f"{self.pk}: {self.prefix} {self.kind}"


class IssuedQuerySet(models.QuerySet[Any]):
    """Rows that were issued: read only. The database refuses the same to whoever goes past this."""

    def update(self, **values: Any) -> int:
        raise InvoiceImmutable("What was issued cannot be changed.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise InvoiceImmutable("What was issued cannot be changed.")

    def delete(self) -> Any:
        raise InvoiceImmutable("What was issued cannot be deleted.")


class InvoiceQuerySet(IssuedQuerySet):
    def visible_to(self, user: CustomUser) -> "InvoiceQuerySet":
        return own_or_run(self, user, owner="booking__user", event="booking__event")


class Invoice(models.Model):
    """What one payment (or, as a credit note, one refund) was for. Everything is copied in when it is issued."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        CREDIT_NOTE = "credit_note", "Credit note"

    CHANGEABLE: ClassVar = frozenset({"sent_at"})

    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField()
    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    issued_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    tax = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    total = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    lines = models.JSONField()
    seller = models.JSONField()
    billing = models.JSONField()
    tax_rate = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="In percent; the total includes it."
    )
    supply = models.JSONField(
        default=dict, db_default={}, help_text="What was sold: event, place, moments, booking, how it was paid."
    )
    content_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    pdf_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "sequence"], name="payments_invoice_number_once"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(kind="invoice"), name="payments_one_invoice_per_payment"
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", refund__isnull=True, corrects__isnull=True)
                | Q(kind="credit_note", refund__isnull=False, corrects__isnull=False),
                name="payments_credit_note_corrects",
            ),
        ]
        indexes = [models.Index(fields=["booking"], name="payments_invoice_by_booking")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and not self.CHANGEABLE.issuperset(kwargs.get("update_fields") or {"everything"}):
            raise InvoiceImmutable(f"{self.number} was issued; it cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise InvoiceImmutable(f"{self.number} was issued; it cannot be deleted.")


class InvoiceDocument(models.Model):
    """The PDF of an invoice, byte for byte as it was issued; apart, so that lists do not read it."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="+")
    content = models.BinaryField()

    objects = IssuedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.pk}: document of invoice {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise InvoiceImmutable("A document that was issued cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise InvoiceImmutable("A document that was issued cannot be deleted.")


class InvoiceRequest(OwedWork):
    """An invoice or credit note that is owed; done when ``invoice`` is set."""

    kind = models.CharField(max_length=12, choices=Invoice.Kind)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment"], condition=Q(kind="invoice"), name="payments_invoice_owed_once"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(invoice__isnull=True), name="payments_invoice_due")
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} for payment {self.payment_id}"
