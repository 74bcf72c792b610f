from typing import Any

from django.db import migrations


def delete_mail(apps: Any, schema_editor: Any) -> None:
    """Delete what the tables before have no room for: messages to nobody's account, and those that are mailed only."""
    apps.get_model("notifications", "Notification").objects.filter(in_app=False).delete()


class Migration(migrations.Migration):
    """Nothing on the way here; on the way back, before the columns go."""

    dependencies = [("notifications", "0002_mail_to_strangers")]

    operations = [migrations.RunPython(migrations.RunPython.noop, delete_mail, elidable=True)]
