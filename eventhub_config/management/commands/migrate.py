"""Django's ``migrate``, one at a time: several containers may start together."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

LOCK = 0x45_76_65_6E_74_48_75_62  # "EventHub"


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with one_at_a_time(options["database"]):
            super().handle(*args, **options)


@contextmanager
def one_at_a_time(database: str) -> Iterator[None]:
    """Wait for whoever migrates this database already. (SQLite has its own lock on every write.)"""
    connection = connections[database]
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        # The connection's lock_timeout is for requests; a migration elsewhere may take minutes.
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
            cursor.execute("RESET lock_timeout")
