from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_invoice_documents")]

    operations = [
        migrations.AddField(
            model_name='payment',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', help_text='What was said when it was recorded by hand.', max_length=255),
        ),
        migrations.AddField(
            model_name='refund',
            name='by_hand_note',
            field=models.CharField(blank=True, db_default='', default='', help_text='How it was given back past the gateway, when a person did that.', max_length=255),
        ),
        migrations.AddField(
            model_name='refund',
            name='failure_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
        migrations.AlterField(
            model_name='payment',
            name='method',
            field=models.CharField(choices=[('card', 'Card'), ('bank_transfer', 'Bank transfer'), ('wallet', 'Wallet'), ('cash', 'Cash')], default='card', max_length=16),
        ),
    ]
