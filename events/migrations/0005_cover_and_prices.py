import django.db.models.deletion
from django.db import migrations, models

from eventhub_config.shared.postgres import PostgresSQL


class Migration(migrations.Migration):
    dependencies = [("events", "0004_search"), ("shared", "0002_images")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="cover",
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="shared.storedimage"),
        ),
        migrations.AddField(model_name="event", name="first_booked_at", field=models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField(
            model_name="event",
            name="lowest_price",
            field=models.DecimalField(blank=True, decimal_places=3, editable=False, max_digits=17, null=True),
        ),
        # A booking changes counters only: with room left on its page, the row's new version needs no new index entries.
        PostgresSQL("ALTER TABLE events_event SET (fillfactor = 80)", "ALTER TABLE events_event RESET (fillfactor)"),
        PostgresSQL("ALTER TABLE events_tickettype SET (fillfactor = 80)", "ALTER TABLE events_tickettype RESET (fillfactor)"),
    ]
