"""What events are found by. Written by ``events/services/searching.py`` only."""

from django.db import models
from django.db.models import Q

from events.models.events import Event


class EventSearch(models.Model):
    """The words of one event, drawn from its row, its sessions and its organizer's name.

    On PostgreSQL the table has one column more, ``vector``: the same words as ``tsvector``, weighed. Django need not
    know it: it is written and asked in plain SQL.
    """

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="+")
    words = models.TextField(help_text="Normalised and separated by single spaces, with one at either end.")
    # Set where many documents grow old at once, when an organizer changes their name; a sweep writes them anew.
    stale_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "search document"
        indexes = [
            models.Index(fields=["stale_since"], condition=Q(stale_since__isnull=False), name="events_stale_documents")
        ]

    def __str__(self) -> str:
        return f"words of event {self.event_id}"


class SearchWord(models.Model):
    """A word of events that are or were public: what a misspelt word in a query may have meant. PostgreSQL only."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word
