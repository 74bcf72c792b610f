"""How a corruption is described, and planted past what the database refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import CheckConstraint, Model, UniqueConstraint

from eventhub_config.tests.world import World

Steps = Iterator[None]


@dataclass(frozen=True)
class Plant:
    """One corruption: how it is made, and who has to find it."""

    make: Callable[[World], Steps]
    found_by: str
    audited: frozenset[str]
    also: frozenset[str]
    needs_postgresql: bool

    def __str__(self) -> str:
        return f"{self.found_by}-{self.make.__name__}"


PLANTS: list[Plant] = []


def planted(
    found_by: str, *audited: str, also: Iterable[str] = (), needs_postgresql: bool = False
) -> Callable[[Callable[[World], Steps]], Callable[[World], Steps]]:
    def register(make: Callable[[World], Steps]) -> Callable[[World], Steps]:
        PLANTS.append(Plant(make, found_by, frozenset(audited), frozenset(also), needs_postgresql))
        return make

    return register


# --- Past the database's own guards. All of it is undone with the test's transaction ----------------------------------


def lift(model: type[Model], name: str) -> None:
    """Take a constraint away. One that SQLite has written into the table cannot be taken: ``needs_postgresql``."""
    table, quote = model._meta.db_table, connection.ops.quote_name
    constraint = next(item for item in model._meta.constraints if item.name == name)
    is_index = isinstance(constraint, UniqueConstraint) and constraint.condition is not None
    if connection.vendor == "sqlite" and isinstance(constraint, CheckConstraint):
        _run("PRAGMA ignore_check_constraints = ON")
    elif is_index:
        _run(f"DROP INDEX {quote(name)}")
    else:
        _run(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}")


def lift_unique(model: type[Model], column: str) -> None:
    """Take a column's own uniqueness away; on PostgreSQL only."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
    for name, about in constraints.items():
        if about["unique"] and about["columns"] == [column]:
            _run(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {name}")


def unguard(model: type[Model]) -> None:
    """Take the trigger away that refuses changes of what was issued."""
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        _run(f"DROP TRIGGER {table}_stays")
    else:
        _run(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def guards_of_sqlite_on() -> None:
    if connection.vendor == "sqlite":
        _run("PRAGMA ignore_check_constraints = OFF")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks pending cannot be altered
        cursor.execute(sql)


def change(row: Model, **values: Any) -> None:
    """Write columns of a row past everything that watches over them."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def copy(row: Model, **values: Any) -> None:
    """Write a second row like this one, past its own ``save``."""
    row.pk = None
    for name, value in values.items():
        setattr(row, name, value)
    Model.save(row, force_insert=True)
