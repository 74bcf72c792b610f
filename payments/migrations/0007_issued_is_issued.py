"""What was issued stays as it is, whoever asks: the database refuses it too.

A table that SQLite makes anew loses its triggers: a later migration that alters one of these two has to run
``guard`` again after it. ``test_unchangeable_invoices.py`` notices where that was forgotten.
"""

from django.db import migrations

INVOICE, DOCUMENT = "payments_invoice", "payments_invoicedocument"
SENT_AT = frozenset({"sent_at"})
# Invoices from before there were documents get these once.
FILLED_ONCE = frozenset({"tax_rate", "supply", "content_sha256", "pdf_sha256"})


def guard(apps, schema_editor):
    unguard(apps, schema_editor)
    make = {"postgresql": _guard_postgresql, "sqlite": _guard_sqlite}[schema_editor.connection.vendor]
    make(apps, schema_editor)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in (INVOICE, DOCUMENT):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_stays")
        return
    for table in (INVOICE, DOCUMENT):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_stays ON {table}")
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {table}_stays()")


def _guard_postgresql(apps, schema_editor):
    # Whole rows are compared: a column of tomorrow is guarded as well.
    for table, free, filled in ((INVOICE, SENT_AT, FILLED_ONCE), (DOCUMENT, frozenset(), frozenset())):
        free_text, filled_text = (", ".join(f"'{name}'" for name in sorted(names)) for names in (free, free | filled))
        first_fill = (
            f"""
                IF OLD.content_sha256 = '' AND to_jsonb(NEW) - ARRAY[{filled_text}]
                        IS NOT DISTINCT FROM to_jsonb(OLD) - ARRAY[{filled_text}] THEN
                    RETURN NEW;
                END IF;"""
            if filled
            else ""
        )
        allowed = (
            f"""
            IF TG_OP = 'UPDATE' THEN
                IF to_jsonb(NEW) - ARRAY[{free_text}]::text[] IS NOT DISTINCT FROM
                        to_jsonb(OLD) - ARRAY[{free_text}]::text[] THEN
                    RETURN NEW;
                END IF;{first_fill}
            END IF;"""
        )
        schema_editor.execute(
            f"""
            CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN{allowed}
                RAISE EXCEPTION '% was issued: it cannot be changed or deleted', TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END
            $body$""",
            params=None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )


def _guard_sqlite(apps, schema_editor):
    # Changes only: the models refuse to delete, and a test database is emptied row by row.
    for name, free, filled in (("Invoice", SENT_AT, FILLED_ONCE), ("InvoiceDocument", frozenset(), frozenset())):
        model = apps.get_model("payments", name)
        columns = [field.column for field in model._meta.concrete_fields]
        changed = _any_differs(column for column in columns if column not in free | filled)
        if filled:
            changed += f" OR (OLD.content_sha256 <> '' AND ({_any_differs(sorted(filled))}))"
        table = model._meta.db_table
        schema_editor.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed}"
            f" BEGIN SELECT RAISE(ABORT, '{table} was issued: it cannot be changed or deleted'); END"
        )


def _any_differs(columns):
    return " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_script_of_the_mock_gateway")]

    operations = [
        migrations.RunPython(guard, unguard),
    ]
