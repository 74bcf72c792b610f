"""What must always hold for messages is refused by the database, and looked for besides."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bookings.tests.factories import a_booking
from eventhub_config.shared.integrity import all_checks
from events.tests.factories import NOW
from notifications.integrity import CHECKS
from notifications.models import Notification
from notifications.services import deliver, mark_as_read
from notifications.tests.factories import a_notification

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "sent"},
        {"sent_at": NOW},
        {"next_attempt_at": None},
        {"parked_at": NOW},
        {"status": "failed", "parked_at": None},
        {"is_read": True},
        {"read_at": NOW},
    ],
)
def test_the_database_refuses_what_cannot_be(broken: dict[str, Any]) -> None:
    message = a_notification()

    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.filter(pk=message.pk).update(**broken)


def test_what_services_leave_behind_is_whole(mailoutbox: list[Any]) -> None:
    a_booking()
    message = a_notification()
    deliver(notification_id=message.pk, now=NOW)
    mark_as_read(notification_id=message.pk, now=NOW)

    names = {check.name for check in all_checks()}
    findings = [str(finding) for check in all_checks() for finding in check.findings()]

    assert names >= {check.name for check in CHECKS}
    assert findings == []
