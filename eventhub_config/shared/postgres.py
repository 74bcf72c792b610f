"""What only PostgreSQL has, for migrations and for plain SQL."""

from typing import Any

from django.db import connection, migrations


def on_postgres() -> bool:
    return connection.vendor == "postgresql"


class PostgresSQL(migrations.RunSQL):
    """SQL that other databases skip."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
