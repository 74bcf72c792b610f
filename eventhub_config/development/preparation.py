"""Brings the database of `make run` up to date, in one process because starting Django takes longer than the work.

Progress goes to standard error; standard output has the demo sign-ins, if there are any.
"""

from __future__ import annotations

import argparse
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--own-database", action="store_true", help="the database is this checkout's own SQLite file")
    own_database = parser.parse_args().own_database

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventhub_config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as reason:
        sys.exit(str(reason))
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    was_empty = not connection.introspection.table_names()
    if was_empty:
        print("Making the tables ...", file=sys.stderr)
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.DEBUG:  # with DEBUG they are served from where they lie
        call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    if _wants_demo(allowed=settings.ALLOW_DEMO_DATA, own_database=own_database, was_empty=was_empty):
        call_command("load_demo", stdout=sys.stderr)
        call_command("load_demo", print_sign_ins=True)


def _wants_demo(*, allowed: bool, own_database: bool, was_empty: bool) -> bool:
    """Decide: what was asked for, else only where it cannot mix with anybody's data."""
    asked = os.environ.get("LOAD_DEMO", "").strip()
    return asked == "1" if asked else allowed and (own_database or was_empty)


if __name__ == "__main__":
    main()
