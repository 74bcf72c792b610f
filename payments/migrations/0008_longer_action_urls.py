"""Pages of banks have addresses that may be longer than 500 characters.

PostgreSQL makes a varchar longer without looking at its rows, and the release before keeps working.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0007_issued_is_issued")]

    operations = [
        migrations.AlterField(
            model_name="payment",
            name="next_action_url",
            field=models.URLField(
                blank=True, help_text="Where the person has to go to finish paying.", max_length=2000
            ),
        ),
    ]
