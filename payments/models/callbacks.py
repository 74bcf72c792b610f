"""What gateways told us by themselves."""

from django.db import models
from django.db.models import Q

from eventhub_config.shared.owed_work import OwedWork


class GatewayCallback(OwedWork):
    """One signed message of a gateway, kept once however often it came, and worked on once."""

    class Result(models.TextChoices):
        APPLIED = "applied", "Changed something"
        NO_CHANGE = "no_change", "Nothing new"
        IGNORED = "ignored", "Of no concern"
        UNKNOWN = "unknown", "About no row of ours"
        SET_ASIDE = "set_aside", "Looked at by a person"

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120, help_text="The gateway's own id of the message.")
    type = models.CharField(max_length=80)
    subject = models.CharField(max_length=8, blank=True, help_text="charge, refund, or empty.")
    key = models.CharField(max_length=64, blank=True, help_text="Of our payment or refund.")
    payload = models.JSONField()
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, choices=Result, blank=True)

    class Meta:
        verbose_name = "gateway callback"
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="payments_callback_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(processed_at__isnull=True), name="payments_callback_due"
            ),
            models.Index(fields=["key"], name="payments_callback_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.gateway} {self.type} {self.event_id}"
