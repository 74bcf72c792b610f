import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0004_fill_event_of_a_ticket")]
    operations = [
        migrations.AlterField(
            model_name="ticket",
            name="event",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="events.event"
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["event", "id"], name="bookings_tickets_by_event"),
        ),
    ]
