"""Tables can be taken back to the version before messages to strangers, with such messages in them."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from notifications.models import Notification
from notifications.services import notify
from users.tests.factories import a_user

BEFORE = ("notifications", "0001_initial")


@pytest.mark.django_db(transaction=True)
def test_mails_to_strangers_go_and_what_is_shown_in_the_app_stays():
    user, now = a_user(), timezone.now()
    told = {"context": {"username": "ada", "lifetime": "1 hour"}, "data": {}, "now": now}
    notify(user_id=None, kind="confirm_registration", dedupe_key="stranger", send_to="ada@example.org", **told)
    notify(user_id=user.pk, kind="verify_email", dedupe_key="mailed only", **told)
    notify(user_id=user.pk, kind="user_registered", dedupe_key="shown", **told)

    try:
        executor = MigrationExecutor(connection)
        executor.migrate([BEFORE])
        old = executor.loader.project_state([BEFORE]).apps.get_model("notifications", "Notification")
        assert list(old.objects.values_list("dedupe_key", flat=True)) == ["shown"]
    finally:
        call_command("migrate", verbosity=0)

    assert list(Notification.objects.values_list("dedupe_key", flat=True)) == ["shown"]
