"""What happens when and where at an event."""

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from eventhub_config.shared.validators import validate_single_line
from events.models.events import Event, known_to
from users.models import CustomUser


class SessionQuerySet(models.QuerySet["Session"]):
    def visible_to(self, user: CustomUser | AnonymousUser) -> "SessionQuerySet":
        """Return the sessions this user may know about: those of the events they may know about."""
        return self.filter(known_to(user, "event__"))

    def in_order(self) -> "SessionQuerySet":
        return self.order_by("starts_at", "position", "id")


class Session(models.Model):
    """One part of an event's programme. Its capacity informs; seats are sold for the event."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    title = models.CharField(max_length=160, validators=[validate_single_line])
    description = models.TextField(max_length=5000, blank=True)
    speaker = models.CharField(max_length=160, blank=True, validators=[validate_single_line])
    room = models.CharField(max_length=80, blank=True, validators=[validate_single_line])
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveIntegerField(null=True, blank=True, help_text="For information only.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order among those that begin together.")

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="events_session_ends_after_start")
        ]
        indexes = [
            # Serves the foreign key too.
            models.Index(fields=["event", "starts_at", "position", "id"], name="events_sessions_in_order"),
            # One for each filter of the list of all sessions.
            models.Index(fields=["starts_at", "id"], name="events_sessions_by_start"),
            models.Index(Upper("speaker"), "starts_at", "id", name="events_sessions_by_speaker"),
            models.Index(Upper("room"), "starts_at", "id", name="events_sessions_by_room"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.title}"
