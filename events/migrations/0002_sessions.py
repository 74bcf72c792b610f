import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import eventhub_config.shared.validators


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=160, validators=[eventhub_config.shared.validators.validate_single_line])),
                ("description", models.TextField(blank=True, max_length=5000)),
                ("speaker", models.CharField(blank=True, max_length=160, validators=[eventhub_config.shared.validators.validate_single_line])),
                ("room", models.CharField(blank=True, max_length=80, validators=[eventhub_config.shared.validators.validate_single_line])),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("capacity", models.PositiveIntegerField(blank=True, help_text="For information only.", null=True)),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Order among those that begin together.")),
                ("event", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="events.event")),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="events_session_ends_after_start")],
                "indexes": [models.Index(fields=["event", "starts_at", "position", "id"], name="events_sessions_in_order")],
            },
        ),
    ]
