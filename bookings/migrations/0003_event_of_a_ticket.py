import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0002_moved_events"), ("events", "0007_fill_slugs_prices_and_search")]
    operations = [
        migrations.AddField(
            model_name="ticket",
            name="event",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="events.event"
            ),
        ),
    ]
