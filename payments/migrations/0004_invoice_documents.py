import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_what_the_mock_gateway_tells")]

    operations = [
        migrations.CreateModel(
            name='InvoiceDocument',
            fields=[
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='payments.invoice')),
                ('content', models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name='invoice',
            name='content_sha256',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='invoice',
            name='pdf_sha256',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='invoice',
            name='supply',
            field=models.JSONField(db_default={}, default=dict, help_text='What was sold: event, place, moments, booking, how it was paid.'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax_rate',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='In percent; the total includes it.', max_digits=5, null=True),
        ),
    ]
