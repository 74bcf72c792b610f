from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("events", "0007_fill_slugs_prices_and_search")]
    operations = [
        migrations.AddIndex("session", models.Index(fields=["starts_at", "id"], name="events_sessions_by_start")),
        migrations.AddIndex(
            "session", models.Index(Upper("speaker"), "starts_at", "id", name="events_sessions_by_speaker")
        ),
        migrations.AddIndex("session", models.Index(Upper("room"), "starts_at", "id", name="events_sessions_by_room")),
    ]
