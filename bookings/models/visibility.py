"""Who may know about a row that somebody has at somebody else's event."""

from typing import Any, TypeVar

from django.db import models

from users.models import CustomUser

Rows = TypeVar("Rows", bound="models.QuerySet[Any]")


def own_or_run(rows: Rows, user: CustomUser, *, owner: str, event: str) -> Rows:
    """Return those of the rows that are this user's own, and those about events they run; all for administrators.

    ``owner`` and ``event`` are the paths to the row's person and event.
    """
    if user.is_platform_admin:  # not is_staff: organizers sign in to the admin too
        return rows
    own = rows.filter(**{owner: user})
    if not user.runs_events:
        return own
    # Two indexed queries joined by id: an OR across the join reads the whole table.
    run = rows.filter(**{f"{event}__organizer": user})
    return rows.filter(pk__in=own.values("pk").union(run.values("pk")))
