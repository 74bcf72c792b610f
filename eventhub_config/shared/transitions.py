"""States: one table of moves per model, and a row of history for each move."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from eventhub_config.shared.actors import Actor, actor_label
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.models import StatusChange


class StatusModel(models.Model):
    """A row with a ``status`` that moves along ``TRANSITIONS`` only."""

    TRANSITIONS: ClassVar[Mapping[str, Iterable[str]]] = {}
    # The states a row may be created in.
    INITIAL: ClassVar[frozenset[str]] = frozenset()
    # Rows that are made in great numbers leave no row of history for being made, only for each move.
    RECORDS_CREATION: ClassVar[bool] = True

    status = models.CharField(max_length=24)  # each model names its choices
    status_changed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def may_move_to(self, status: str) -> bool:
        return status in self.TRANSITIONS.get(self.status, ())

    def cannot_become(self, status: str) -> InvalidTransition:
        """Return the refusal of a move that ``TRANSITIONS`` does not have."""
        name, now = self._meta.verbose_name, self.status.replace("_", " ")
        if self.status == status:
            return InvalidTransition(f"This {name} is {now} already.")
        return InvalidTransition(f"This {name} is {now}; it cannot become {status.replace('_', ' ')}.")

    def move_to(self, status: str, *, actor: Actor, at: datetime, note: str = "", also: Iterable[str] = ()) -> None:
        """Change the status, save it together with the columns named in ``also``, and leave a row of history.

        :raises InvalidTransition: ``TRANSITIONS`` has no such step.
        """
        if not self.may_move_to(status):
            raise self.cannot_become(status)
        before, self.status, self.status_changed_at = self.status, status, at
        self.save(update_fields=["status", "status_changed_at", *also])
        record_change(self, before=before, actor=actor, at=at, note=note)

    def record_creation(self, *, actor: Actor, at: datetime, note: str = "") -> None:
        """Leave the first row of history, after the row itself was inserted."""
        record_change(self, before="", actor=actor, at=at, note=note)


def record_change(row: StatusModel, *, before: str, actor: Actor, at: datetime, note: str = "") -> None:
    insert_rows([_change(row, before, row.status, actor, at, note)])


def record_creations(rows: Iterable[StatusModel], *, actor: Actor, at: datetime, note: str = "") -> None:
    """Leave the first rows of history of several rows, in one statement."""
    insert_rows([_change(row, "", row.status, actor, at, note) for row in rows])


def _change(row: StatusModel, before: str, after: str, actor: Actor, at: datetime, note: str) -> StatusChange:
    return StatusChange(
        subject_type=row._meta.label_lower,
        subject_id=row.pk,
        from_status=before,
        to_status=after,
        actor=actor_label(actor),
        note=note[:255],
        at=at,
    )


def move_all(
    rows: Iterable[StatusModel],
    status: str,
    *,
    actor: Actor,
    at: datetime,
    note: str = "",
    also: Mapping[str, Any] | None = None,
) -> None:
    """Move several rows of one model to the same state, in two statements; ``also``: columns that all of them get.

    :raises InvalidTransition: one of them has no such step; none is moved.
    """
    rows = list(rows)
    if not rows:
        return
    if not all(row.may_move_to(status) for row in rows):
        raise InvalidTransition
    model = type(rows[0])
    model._base_manager.filter(pk__in=[row.pk for row in rows]).update(
        status=status, status_changed_at=at, **(also or {})
    )
    insert_rows([_change(row, row.status, status, actor, at, note) for row in rows])
    for row in rows:
        row.status, row.status_changed_at = status, at


def status_models() -> list[type[StatusModel]]:
    """Return every concrete model whose states move by a table."""
    from django.apps import apps

    return [model for model in apps.get_models() if issubclass(model, StatusModel)]
