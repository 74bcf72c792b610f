import django.db.models.deletion
import eventhub_config.shared.references
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('events', '0001_initial'),
        ('users', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Booking',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('reference', models.CharField(default=eventhub_config.shared.references.booking_reference, editable=False, max_length=12, unique=True)),
                ('status', models.CharField(choices=[('pending', 'Awaiting payment'), ('confirmed', 'Confirmed'), ('cancelled', 'Cancelled'), ('expired', 'Expired unpaid'), ('no_show', 'Did not come')], max_length=10)),
                ('seats', models.PositiveIntegerField()),
                ('total_amount', models.DecimalField(decimal_places=3, max_digits=17)),
                ('amount_due', models.DecimalField(decimal_places=3, max_digits=17)),
                ('currency', models.CharField(max_length=3)),
                ('tax_rate', models.DecimalField(decimal_places=2, max_digits=5)),
                ('refund_policy', models.CharField(choices=[('full', 'Everything back'), ('partial', 'A part back'), ('none', 'Nothing back')], max_length=8)),
                ('refund_until', models.DateTimeField(help_text='Later cancellations by the attendee give nothing back.')),
                ('refund_percent', models.PositiveSmallIntegerField()),
                ('special_requirements', models.JSONField(blank=True, default=dict)),
                ('billing', models.JSONField(blank=True, default=dict)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Until when unpaid seats are held.', null=True)),
                ('hold_extended_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('cancellation_reason', models.CharField(blank=True, max_length=500)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='events.event')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-created_at', '-id'], name='bookings_by_user'), models.Index(fields=['event', 'status'], name='bookings_by_event'), models.Index(condition=models.Q(('status', 'pending')), fields=['expires_at'], name='bookings_holds')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['pending', 'confirmed', 'no_show'])), fields=('user', 'event'), name='bookings_one_active_per_event'), models.CheckConstraint(condition=models.Q(('seats__gte', 1)), name='bookings_has_a_seat'), models.CheckConstraint(condition=models.Q(('amount_due__gte', 0), ('amount_due__lte', models.F('total_amount'))), name='bookings_due_in_range'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'pending'), _negated=True), ('expires_at__isnull', False), _connector='OR'), name='bookings_pending_has_deadline')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('code', models.CharField(default=eventhub_config.shared.references.ticket_code, editable=False, max_length=20, unique=True)),
                ('status', models.CharField(choices=[('valid', 'Valid'), ('checked_in', 'Checked in'), ('cancelled', 'Cancelled')], default='valid', max_length=10)),
                ('attendee_name', models.CharField(blank=True, max_length=160)),
                ('attendee_email', models.EmailField(blank=True, max_length=254)),
                ('price', models.DecimalField(decimal_places=3, max_digits=17)),
                ('checked_in_at', models.DateTimeField(blank=True, null=True)),
                ('booking', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='bookings.booking')),
                ('ticket_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='events.tickettype')),
            ],
            options={
                'abstract': False,
            },
        ),
    ]
