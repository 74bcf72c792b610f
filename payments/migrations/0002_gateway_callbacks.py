from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name='GatewayCallback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text='Empty: nothing is owed.', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('parked_at', models.DateTimeField(blank=True, help_text='Given up; a person must look.', null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('gateway', models.CharField(max_length=20)),
                ('event_id', models.CharField(help_text="The gateway's own id of the message.", max_length=120)),
                ('type', models.CharField(max_length=80)),
                ('subject', models.CharField(blank=True, help_text='charge, refund, or empty.', max_length=8)),
                ('key', models.CharField(blank=True, help_text='Of our payment or refund.', max_length=64)),
                ('payload', models.JSONField()),
                ('received_at', models.DateTimeField()),
                ('processed_at', models.DateTimeField(blank=True, null=True)),
                ('result', models.CharField(blank=True, choices=[('applied', 'Changed something'), ('no_change', 'Nothing new'), ('ignored', 'Of no concern'), ('unknown', 'About no row of ours')], max_length=10)),
            ],
            options={
                'verbose_name': 'gateway callback',
            },
        ),
        migrations.AddIndex(
            model_name='gatewaycallback',
            index=models.Index(condition=models.Q(('processed_at__isnull', True)), fields=['next_attempt_at'], name='payments_callback_due'),
        ),
        migrations.AddIndex(
            model_name='gatewaycallback',
            index=models.Index(fields=['key'], name='payments_callback_by_key'),
        ),
        migrations.AddConstraint(
            model_name='gatewaycallback',
            constraint=models.UniqueConstraint(fields=('gateway', 'event_id'), name='payments_callback_once'),
        ),
    ]
