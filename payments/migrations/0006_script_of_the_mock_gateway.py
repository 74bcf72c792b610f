from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_money_by_hand")]

    operations = [
        migrations.AddField(
            model_name="mockgatewayentry",
            name="script",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="The test token that it obeys.", max_length=40
            ),
        ),
    ]
