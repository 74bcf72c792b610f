import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_sessions")]

    operations = [
        migrations.CreateModel(
            name="EventSlug",
            fields=[
                ("slug", models.SlugField(max_length=120, primary_key=True, serialize=False)),
                ("event", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="slugs", to="events.event")),
            ],
        ),
    ]
