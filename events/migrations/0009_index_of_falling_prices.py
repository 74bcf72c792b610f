from decimal import Decimal

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [("events", "0008_index_per_session_filter")]
    operations = [
        migrations.AddIndex(
            "event",
            models.Index(
                Coalesce("lowest_price", Value(Decimal(-1)), output_field=models.DecimalField()),
                "id",
                include=("lowest_price", "published_at", "organizer"),
                name="events_by_falling_price",
            ),
        ),
    ]
