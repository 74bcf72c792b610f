import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0006_first_booking_of_an_event"), ("events", "0009_index_of_falling_prices"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name='Waitlist',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status_changed_at', models.DateTimeField()),
                ('seats', models.PositiveSmallIntegerField()),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('offered', 'Seats offered'), ('accepted', 'Booked'), ('declined', 'Declined'), ('lapsed', 'Offer lapsed'), ('left', 'Left the queue'), ('closed', 'Closed')], max_length=10)),
                ('created_at', models.DateTimeField()),
                ('blocked_since', models.DateTimeField(blank=True, help_text='Since then there were seats, but fewer than this party needs.', null=True)),
                ('passed_over_at', models.DateTimeField(blank=True, help_text='When a smaller party behind was served first, because this one did not fit.', null=True)),
                ('offered_at', models.DateTimeField(blank=True, null=True)),
                ('offer_expires_at', models.DateTimeField(blank=True, help_text='Until when the seats offered are held for this party.', null=True)),
                ('booking', models.OneToOneField(blank=True, help_text='Once accepted.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entry', to='bookings.booking')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='events.event')),
                ('ticket_type', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='events.tickettype')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'waitlist entry',
                'verbose_name_plural': 'waitlist entries',
                'indexes': [models.Index(condition=models.Q(('status', 'waiting')), fields=['ticket_type', 'id'], name='bookings_waitlist_queue'), models.Index(condition=models.Q(('status', 'offered')), fields=['offer_expires_at'], name='bookings_waitlist_offers'), models.Index(fields=['user', '-id'], name='bookings_waitlist_by_user')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['waiting', 'offered'])), fields=('user', 'event'), name='bookings_waitlist_one_place_each'), models.CheckConstraint(condition=models.Q(('seats__gte', 1)), name='bookings_waitlist_has_a_seat'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'offered'), _negated=True), ('offer_expires_at__isnull', False), _connector='OR'), name='bookings_waitlist_offer_has_deadline'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'accepted'), _negated=True), ('booking__isnull', False), _connector='OR'), name='bookings_waitlist_accepted_has_booking')],
            },
        ),
    ]
