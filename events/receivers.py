"""What events do when something happened to a user."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from eventhub_config.shared.dispatch import enqueue_on_commit
from events import tasks
from events.services import searching
from users.models import CustomUser
from users.signals import user_renamed


@receiver(user_renamed)
def find_events_by_the_new_name(*, user: CustomUser, **_: Any) -> None:
    """Have the words of an organizer's events drawn anew; they stand as rows, so a sweep goes on where this ends."""
    # Asked of the events, not of the role: who is no organizer any more may have some.
    if searching.outdate_documents_of(organizer_id=user.pk, now=timezone.now()):
        enqueue_on_commit(tasks.refresh_search)
