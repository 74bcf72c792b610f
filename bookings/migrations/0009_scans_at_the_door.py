import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0008_bookings_without_payment"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddField(
            model_name='ticket',
            name='checked_in_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Scan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scan_id', models.CharField(help_text='Chosen by the device; once per event.', max_length=64)),
                ('code', models.CharField(help_text='What was scanned.', max_length=40)),
                ('outcome', models.CharField(help_text='“checked_in”, or the code of the refusal.', max_length=40)),
                ('scanned_at', models.DateTimeField(help_text="By the device's clock.")),
                ('received_at', models.DateTimeField()),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='events.event')),
                ('ticket', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='scans', to='bookings.ticket')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('event', 'scan_id'), name='bookings_scan_once')],
            },
        ),
    ]
