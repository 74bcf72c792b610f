"""Messages for tests."""

from datetime import datetime
from typing import Any

from events.tests.factories import NOW
from notifications.models import Notification
from notifications.services import notify
from users.models import CustomUser
from users.tests.factories import a_user


def a_notification(
    *, user: CustomUser | None = None, occasion: str = "", now: datetime = NOW, **changes: Any
) -> Notification:
    """Return a message that waits to be sent; ``changes`` are columns to set afterwards."""
    user = user or a_user()
    key = f"greeting:{user.pk}{occasion}"
    notify(user_id=user.pk, kind="user_registered", dedupe_key=key, context={"username": "ada"}, data={}, now=now)
    if changes:
        Notification.objects.filter(dedupe_key=key).update(**changes)
    return Notification.objects.get(dedupe_key=key)
