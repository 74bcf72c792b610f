"""Messages for tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

from django.db import connection

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
    key = f"user.registered:{user.pk}{occasion}"
    Notification.objects.filter(dedupe_key=key).delete()  # the user was made by a service, which wrote one
    notify(user_id=user.pk, kind="user_registered", dedupe_key=key, context={"username": "ada"}, data={}, now=now)
    Notification.objects.filter(dedupe_key=key).update(**changes, created_at=now)
    return Notification.objects.get(dedupe_key=key)


def at_once(times: int, function: Callable[[], Any]) -> list[Any]:
    """Call a function in that many threads at the same moment and return what they return."""
    start = Barrier(times)

    def run(_: int) -> Any:
        try:
            start.wait()
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
