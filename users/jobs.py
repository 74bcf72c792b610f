"""The periodic work of users."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from eventhub_config.shared.periodic import Chore
from users.models import UserSession


def purge_ended_sessions(now: datetime) -> int:
    """Delete sessions none of whose tokens can be used any more."""
    lifetime: Any = settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    deleted, _ = UserSession.objects.filter(last_refreshed_at__lt=now - lifetime).delete()
    return deleted


JOBS = [Chore(name="purge_ended_sessions", every=timedelta(days=1), run=purge_ended_sessions)]
