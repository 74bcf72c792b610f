import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import eventhub_config.shared.validators
import events.models
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('users', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('slug', models.SlugField(max_length=120, unique=True)),
                ('version', models.PositiveIntegerField(default=1, help_text='Rises with every edit, not with sales.')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('ongoing', 'Going on'), ('completed', 'Completed'), ('cancelled', 'Cancelled')], default='draft', max_length=12)),
                ('title', models.CharField(max_length=160, validators=[eventhub_config.shared.validators.validate_single_line])),
                ('summary', models.CharField(blank=True, max_length=300, validators=[eventhub_config.shared.validators.validate_single_line])),
                ('description', models.TextField(blank=True, max_length=20000)),
                ('category', models.CharField(choices=[('workshop', 'Workshop'), ('webinar', 'Webinar'), ('conference', 'Conference'), ('master_class', 'Master class'), ('meetup', 'Meetup'), ('training', 'Training')], max_length=16)),
                ('format', models.CharField(choices=[('in_person', 'In person'), ('online', 'Online'), ('hybrid', 'Hybrid')], default='in_person', max_length=12)),
                ('language', models.CharField(default='en', max_length=12, validators=[eventhub_config.shared.validators.validate_language])),
                ('skills', models.JSONField(blank=True, default=list, validators=[eventhub_config.shared.validators.validate_short_texts])),
                ('hours', models.DecimalField(blank=True, decimal_places=2, help_text='Credited on the certificate.', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(500)])),
                ('venue_name', models.CharField(blank=True, max_length=160, validators=[eventhub_config.shared.validators.validate_single_line])),
                ('address', models.CharField(blank=True, max_length=300, validators=[eventhub_config.shared.validators.validate_single_line])),
                ('city', models.CharField(blank=True, max_length=120, validators=[eventhub_config.shared.validators.validate_single_line])),
                ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2.', max_length=2)),
                ('latitude', models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, validators=[django.core.validators.MinValueValidator(-90), django.core.validators.MaxValueValidator(90)])),
                ('longitude', models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, validators=[django.core.validators.MinValueValidator(-180), django.core.validators.MaxValueValidator(180)])),
                ('online_url', models.URLField(blank=True, help_text='Shown to confirmed attendees only.', max_length=500, validators=[eventhub_config.shared.validators.validate_web_address])),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('timezone', models.CharField(default='UTC', max_length=64, validators=[eventhub_config.shared.validators.validate_timezone])),
                ('registration_deadline', models.DateTimeField(blank=True, help_text='Empty: the start.', null=True)),
                ('capacity', models.PositiveIntegerField(blank=True, help_text='Empty: unlimited.', null=True)),
                ('seats_taken', models.PositiveIntegerField(default=0, editable=False)),
                ('currency', models.CharField(default='EUR', max_length=3, validators=[events.models.validate_currency])),
                ('tax_rate', models.DecimalField(decimal_places=2, default=Decimal('0'), help_text='Percent, included in the prices.', max_digits=5, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)])),
                ('attendance_rule', models.CharField(choices=[('check_in', 'Was checked in'), ('confirmed', 'Was confirmed and not a no-show')], default='check_in', max_length=12)),
                ('refund_policy', models.CharField(choices=[('full', 'Everything back'), ('partial', 'A part back'), ('none', 'Nothing back')], default='full', max_length=8)),
                ('refund_until', models.DateTimeField(blank=True, help_text='Empty: until the start.', null=True)),
                ('refund_percent', models.PositiveSmallIntegerField(default=100, help_text='What a partial refund gives back.', validators=[django.core.validators.MaxValueValidator(100)])),
                ('average_rating', models.DecimalField(blank=True, decimal_places=2, editable=False, max_digits=3, null=True)),
                ('review_count', models.PositiveIntegerField(default=0, editable=False)),
                ('first_published_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('published_at', models.DateTimeField(blank=True, editable=False, help_text='Set while the public may see it; empty for a draft.', null=True)),
                ('cancellation_reason', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('organizer', models.ForeignKey(limit_choices_to={'user_type__in': ['organizer', 'admin']}, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('published_at__isnull', False)), fields=['starts_at', 'id'], name='events_public_by_start'), models.Index(fields=['organizer', 'starts_at', 'id'], name='events_by_organizer'), models.Index(fields=['status', 'starts_at'], name='events_by_status')],
                'constraints': [models.CheckConstraint(condition=models.Q(('capacity__isnull', True), ('seats_taken__lte', models.F('capacity')), _connector='OR'), name='events_event_not_oversold'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='events_event_ends_after_start'), models.CheckConstraint(condition=models.Q(('registration_deadline__isnull', True), ('registration_deadline__lte', models.F('starts_at')), _connector='OR'), name='events_event_deadline_before_start'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'cancelled']), ('published_at__isnull', False), _connector='OR'), name='events_event_public_is_published'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'draft'), _negated=True), ('published_at__isnull', True), _connector='OR'), name='events_event_draft_is_hidden')],
            },
        ),
        migrations.CreateModel(
            name='TicketType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('price', models.DecimalField(decimal_places=3, default=Decimal('0'), help_text="For one seat, in the event's currency, tax included; 0 is free.", max_digits=17)),
                ('quantity', models.PositiveIntegerField(blank=True, help_text="Empty: limited by the event's capacity only.", null=True)),
                ('seats_taken', models.PositiveIntegerField(default=0, editable=False)),
                ('waiting_count', models.PositiveIntegerField(default=0, editable=False, help_text='People on the waitlist; while there are any, nobody books past them.')),
                ('sales_start_at', models.DateTimeField(blank=True, null=True)),
                ('sales_end_at', models.DateTimeField(blank=True, null=True)),
                ('min_per_booking', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1)])),
                ('max_per_booking', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1)])),
                ('is_visible', models.BooleanField(default=True)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ticket_types', to='events.event')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__isnull', True), ('seats_taken__lte', models.F('quantity')), _connector='OR'), name='events_type_not_oversold'), models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='events_type_price_not_negative'), models.CheckConstraint(condition=models.Q(('min_per_booking__gte', 1), ('max_per_booking__gte', models.F('min_per_booking'))), name='events_type_limits_in_order'), models.CheckConstraint(condition=models.Q(('sales_start_at__isnull', True), ('sales_end_at__isnull', True), ('sales_end_at__gt', models.F('sales_start_at')), _connector='OR'), name='events_type_sales_window'), models.UniqueConstraint(fields=('event', 'name'), name='events_type_name_once')],
            },
        ),
    ]
