"""What was scanned at the door, as the devices tell it."""

from django.conf import settings
from django.db import models

from bookings.models.tickets import Ticket
from events.models import Event


class Scan(models.Model):
    """One scan of one device, known by the id that the device gave it: sent again, it is answered again.

    A device without a network keeps its scans and sends them later. Each leaves a row with what came of it, so that a
    list sent twice changes nothing twice.
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+", db_index=False)
    scan_id = models.CharField(max_length=64, help_text="Chosen by the device; once per event.")
    code = models.CharField(max_length=40, help_text="What was scanned.")
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, null=True, blank=True, related_name="scans")
    outcome = models.CharField(max_length=40, help_text="“checked_in”, or the code of the refusal.")
    scanned_at = models.DateTimeField(help_text="By the device's clock.")
    received_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "scan_id"], name="bookings_scan_once")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.scan_id}"
