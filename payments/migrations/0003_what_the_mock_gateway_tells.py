import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_gateway_callbacks")]

    operations = [
        migrations.CreateModel(
            name='MockGatewayMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text='Empty: nothing is owed.', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('parked_at', models.DateTimeField(blank=True, help_text='Given up; a person must look.', null=True)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('event_id', models.CharField(max_length=40)),
                ('body', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('answer', models.CharField(blank=True, help_text='The status it was answered with.', max_length=80)),
            ],
        ),
        migrations.AddField(
            model_name='mockgatewayentry',
            name='awaits_person',
            field=models.BooleanField(db_default=False, default=False, help_text="The person decides it on the gateway's page."),
        ),
        migrations.AddField(
            model_name='mockgatewayentry',
            name='return_url',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='mockgatewayentry',
            name='settles_at',
            field=models.DateTimeField(blank=True, help_text='When it will have succeeded by itself.', null=True),
        ),
        migrations.AlterField(
            model_name='mockgatewayentry',
            name='succeeded',
            field=models.BooleanField(help_text='Empty: not decided yet.', null=True),
        ),
        migrations.AddIndex(
            model_name='mockgatewayentry',
            index=models.Index(condition=models.Q(('succeeded', None)), fields=['settles_at'], name='payments_mock_settling'),
        ),
        migrations.AddField(
            model_name='mockgatewaymessage',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='payments.mockgatewayentry'),
        ),
        migrations.AddIndex(
            model_name='mockgatewaymessage',
            index=models.Index(condition=models.Q(('delivered_at__isnull', True)), fields=['next_attempt_at'], name='payments_mock_to_tell'),
        ),
    ]
