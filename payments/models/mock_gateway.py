"""The mock gateway's own books, apart from ours: what it charged and gave back, and what it has to tell of it."""

from django.db import models
from django.db.models import Q

from eventhub_config.shared import money
from eventhub_config.shared.owed_work import OwedWork


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
    succeeded = models.BooleanField(null=True, help_text="Empty: not decided yet.")
    failure_code = models.CharField(max_length=40, blank=True)
    settles_at = models.DateTimeField(null=True, blank=True, help_text="When it will have succeeded by itself.")
    script = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="The test token that it obeys."
    )
    awaits_person = models.BooleanField(
        default=False, db_default=False, help_text="The person decides it on the gateway's page."
    )
    return_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "mock gateway entries"
        indexes = [models.Index(fields=["settles_at"], condition=Q(succeeded=None), name="payments_mock_settling")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} {self.reference}"


class MockGatewayMessage(OwedWork):
    """One callback that the mock gateway sends; two with the same ``event_id`` are a message sent twice."""

    entry = models.ForeignKey(MockGatewayEntry, on_delete=models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=80, blank=True, help_text="The status it was answered with.")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(delivered_at__isnull=True), name="payments_mock_to_tell"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.event_id}"
