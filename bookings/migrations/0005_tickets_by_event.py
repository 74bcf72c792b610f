from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0004_fill_event_of_a_ticket")]
    operations = [
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["event", "id"], name="bookings_tickets_by_event"),
        ),
    ]
