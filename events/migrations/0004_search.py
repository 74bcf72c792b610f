import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from eventhub_config.shared.postgres import PostgresSQL


class Migration(migrations.Migration):
    dependencies = [("events", "0003_old_slugs")]

    operations = [
        migrations.CreateModel(
            name="EventSearch",
            fields=[
                ("event", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="events.event")),
                ("words", models.TextField(help_text="Normalised and separated by single spaces, with one at either end.")),
                ("stale_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "search document",
                "indexes": [models.Index(condition=Q(stale_since__isnull=False), fields=["stale_since"], name="events_stale_documents")],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[("word", models.CharField(max_length=40, primary_key=True, serialize=False))],
        ),
        # This extension is trusted: the owner of the database may make it, without being a superuser. All this goes with
        # its tables when they go.
        PostgresSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm", migrations.RunSQL.noop),
        PostgresSQL("ALTER TABLE events_eventsearch ADD COLUMN vector tsvector NULL", migrations.RunSQL.noop),
        PostgresSQL(
            "CREATE INDEX events_search_vector ON events_eventsearch USING gin (vector) WITH (fastupdate = off)",
            migrations.RunSQL.noop,
        ),
        PostgresSQL(
            "CREATE INDEX events_search_like ON events_searchword USING gin (word gin_trgm_ops)", migrations.RunSQL.noop
        ),
    ]
