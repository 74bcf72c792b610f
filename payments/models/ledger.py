"""The mock gateway's own books, apart from ours: what it charged and gave back."""

from django.db import models

from eventhub_config.shared import money


class MockGatewayEntry(models.Model):
    """One charge or refund as the mock gateway remembers it. Event Hub's rows are compared with these."""

    class Kind(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"

    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=64, unique=True, help_text="The caller's idempotency key.")
    reference = models.CharField(max_length=40, unique=True)
    charge_reference = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=money.MAX_DIGITS, decimal_places=money.DECIMAL_PLACES)
    currency = models.CharField(max_length=3)
    succeeded = models.BooleanField()
    failure_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "mock gateway entries"

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} {self.reference}"
