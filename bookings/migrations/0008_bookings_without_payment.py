from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0007_waitlist")]
    operations = [
        migrations.AddField(
            model_name='booking',
            name='confirmation_resent_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='invited_as',
            field=models.CharField(blank=True, db_default='', default='', help_text='What the organizer called the person that a complimentary booking was made for.', max_length=160),
        ),
        migrations.AddField(
            model_name='booking',
            name='waiver_reason',
            field=models.CharField(blank=True, db_default='', default='', help_text='Why nothing is due: a complimentary booking, or one that was confirmed without a payment.', max_length=255),
        ),
    ]
