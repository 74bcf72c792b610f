"""Inserting rows on hot paths: the statement of a table is put together once, not at every insert.

Half the time of an ORM insert goes into composing SQL that is always the same. This does what ``bulk_create`` does for
new rows with an automatic id, and no more: no signals and no ``save()``.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, models


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model in one statement, and give them their ids."""
    if not rows:
        return
    fields, head, values = _statement(type(rows[0]))
    for row, pk in zip(rows, _execute(f"{head} {', '.join([values] * len(rows))}", rows, fields), strict=True):
        _is_stored(row, pk)


def insert_once(row: models.Model) -> bool:
    """Insert a new row unless a unique key of it is taken; return whether it was inserted. One statement either way.

    An ``IntegrityError`` would break the surrounding transaction; ``bulk_create(ignore_conflicts=True)`` cannot tell
    the new row's id.
    """
    fields, head, values = _statement(type(row))
    ids = _execute(f"{head} {values} ON CONFLICT DO NOTHING", [row], fields)
    for pk in ids:
        _is_stored(row, pk)
    return bool(ids)


def insert_new(rows: Sequence[models.Model]) -> int:
    """Insert those of some rows of one model whose unique keys are not taken; return how many. One statement.

    Their ids are not told: which of them were inserted, the database does not say.
    """
    fields, head, values = _statement(type(rows[0]))
    return len(_execute(f"{head} {', '.join([values] * len(rows))} ON CONFLICT DO NOTHING", rows, fields))


def _execute(sql: str, rows: Sequence[models.Model], fields: list["models.Field[Any, Any]"]) -> list[int]:
    parameters = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING id", parameters)
        return [pk for (pk,) in cursor.fetchall()]


def _is_stored(row: models.Model, pk: int) -> None:
    row.pk = pk
    row._state.adding = False
    row._state.db = connection.alias


@cache
def _statement(model: type[models.Model]) -> tuple[list["models.Field[Any, Any]"], str, str]:
    """Return a table's columns without the id, and its INSERT up to and with one row's placeholders."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(["%s"] * len(fields))
    return fields, f"INSERT INTO {model._meta.db_table} ({columns}) VALUES", f"({values})"
