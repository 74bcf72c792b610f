import django.db.models.deletion
import eventhub_config.shared.references
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('bookings', '0001_initial'),
        ('users', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='MockGatewayEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('charge', 'Charge'), ('refund', 'Refund')], max_length=8)),
                ('key', models.CharField(help_text="The caller's idempotency key.", max_length=64, unique=True)),
                ('reference', models.CharField(max_length=40, unique=True)),
                ('charge_reference', models.CharField(blank=True, max_length=40)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=17)),
                ('currency', models.CharField(max_length=3)),
                ('succeeded', models.BooleanField()),
                ('failure_code', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'mock gateway entries',
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text='Empty: nothing is owed.', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('parked_at', models.DateTimeField(blank=True, help_text='Given up; a person must look.', null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=17)),
                ('currency', models.CharField(max_length=3)),
                ('status', models.CharField(choices=[('pending', 'Waiting for the gateway'), ('processing', 'At the gateway'), ('completed', 'Paid'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('partially_refunded', 'Partly refunded'), ('refunded', 'Refunded')], default='pending', max_length=20)),
                ('method', models.CharField(choices=[('card', 'Card'), ('bank_transfer', 'Bank transfer'), ('wallet', 'Wallet')], default='card', max_length=16)),
                ('gateway', models.CharField(max_length=20)),
                ('gateway_key', models.CharField(default=eventhub_config.shared.references.opaque_key, editable=False, max_length=40, unique=True)),
                ('gateway_reference', models.CharField(blank=True, max_length=80)),
                ('token', models.CharField(blank=True, help_text='What the client got from the gateway; kept until it is used.', max_length=80)),
                ('next_action_url', models.URLField(blank=True, help_text='Where the person has to go to finish paying.', max_length=500)),
                ('failure_code', models.CharField(blank=True, max_length=40)),
                ('refunded_amount', models.DecimalField(decimal_places=3, default=Decimal('0'), max_digits=17)),
                ('created_at', models.DateTimeField()),
                ('completed_at', models.DateTimeField(blank=True, null=True)),
                ('booking', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='bookings.booking')),
            ],
            options={
                'indexes': [models.Index(fields=['booking', 'status'], name='payments_by_booking'), models.Index(condition=models.Q(('status__in', ['pending', 'processing'])), fields=['next_attempt_at'], name='payments_open_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['pending', 'processing'])), fields=('booking',), name='payments_one_open_per_booking'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payments_amount_positive'), models.CheckConstraint(condition=models.Q(('refunded_amount__gte', 0), ('refunded_amount__lte', models.F('amount'))), name='payments_refunded_in_range')],
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text='Empty: nothing is owed.', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('parked_at', models.DateTimeField(blank=True, help_text='Given up; a person must look.', null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=17)),
                ('reason', models.CharField(blank=True, max_length=255)),
                ('status', models.CharField(choices=[('requested', 'Requested'), ('processing', 'At the gateway'), ('completed', 'Refunded'), ('failed', 'Failed')], default='requested', max_length=12)),
                ('gateway_key', models.CharField(default=eventhub_config.shared.references.opaque_key, editable=False, max_length=40, unique=True)),
                ('gateway_reference', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField()),
                ('completed_at', models.DateTimeField(blank=True, null=True)),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.payment')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status__in', ['requested', 'processing'])), fields=['next_attempt_at'], name='payments_refund_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payments_refund_positive')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=12)),
                ('prefix', models.CharField(max_length=20)),
                ('last_number', models.PositiveIntegerField(default=0)),
                ('organizer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'invoice series',
                'constraints': [models.UniqueConstraint(fields=('organizer', 'kind'), name='payments_series_once'), models.UniqueConstraint(fields=('prefix', 'kind'), name='payments_series_prefix_once')],
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('number', models.CharField(max_length=40, unique=True)),
                ('kind', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], max_length=12)),
                ('issued_at', models.DateTimeField()),
                ('currency', models.CharField(max_length=3)),
                ('subtotal', models.DecimalField(decimal_places=3, max_digits=17)),
                ('tax', models.DecimalField(decimal_places=3, max_digits=17)),
                ('total', models.DecimalField(decimal_places=3, max_digits=17)),
                ('lines', models.JSONField()),
                ('seller', models.JSONField()),
                ('billing', models.JSONField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('booking', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='bookings.booking')),
                ('corrects', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.invoice')),
                ('series', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.invoiceseries')),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.payment')),
                ('refund', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.refund')),
            ],
            options={
                'indexes': [models.Index(fields=['booking'], name='payments_invoice_by_booking')],
                'constraints': [models.UniqueConstraint(fields=('series', 'sequence'), name='payments_invoice_number_once'), models.UniqueConstraint(condition=models.Q(('kind', 'invoice')), fields=('payment',), name='payments_one_invoice_per_payment'), models.CheckConstraint(condition=models.Q(models.Q(('corrects__isnull', True), ('kind', 'invoice'), ('refund__isnull', True)), models.Q(('corrects__isnull', False), ('kind', 'credit_note'), ('refund__isnull', False)), _connector='OR'), name='payments_credit_note_corrects')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text='Empty: nothing is owed.', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('parked_at', models.DateTimeField(blank=True, help_text='Given up; a person must look.', null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('kind', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], max_length=12)),
                ('created_at', models.DateTimeField()),
                ('invoice', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.invoice')),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.payment')),
                ('refund', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.refund')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('invoice__isnull', True)), fields=['next_attempt_at'], name='payments_invoice_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind', 'invoice')), fields=('payment',), name='payments_invoice_owed_once')],
            },
        ),
    ]
