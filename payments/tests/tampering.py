"""Going past what keeps issued invoices as they are: for tests that need to have one changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLES = ("payments_invoice", "payments_invoicedocument")


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers away for a while that refuse to change or delete what was issued."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_stays'")
            triggers = cursor.fetchall()
            for name, _statement in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            try:
                yield
            finally:
                for _name, statement in triggers:
                    cursor.execute(statement)
            return
        # What is checked at the commit has to be checked before a table is altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_stays")
        try:
            yield
        finally:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_stays")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
