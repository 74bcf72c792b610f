"""Twenty workers on one message send one mail. The control shows that without the claim they would send more."""

import time
from functools import partial
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend as Memory

from eventhub_config.tests.races import at_once
from events.tests.factories import NOW
from notifications.jobs import JOBS
from notifications.mail import address_of
from notifications.models import Notification
from notifications.services import deliver
from notifications.tests.factories import a_notification

pytestmark = pytest.mark.django_db(transaction=True)


class Slow(Memory):
    def send_messages(self, messages: Any) -> int:
        time.sleep(0.2)  # the others have time to come by
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def mail_is_slow(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Slow"


def test_twenty_workers_send_one_mail(mailoutbox: list[EmailMultiAlternatives]) -> None:
    message = a_notification()

    at_once([partial(deliver, notification_id=message.pk, now=NOW)] * 20)

    message.refresh_from_db()
    assert (message.status, message.attempts, len(mailoutbox)) == (Notification.Status.SENT, 1, 1)


def test_control_without_the_claim_they_send_more(
    mailoutbox: list[EmailMultiAlternatives], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = a_notification()
    monkeypatch.setattr(Notification, "is_due", lambda *_: True)

    at_once([partial(deliver, notification_id=message.pk, now=NOW)] * 4)

    assert len(mailoutbox) > 1


def test_four_sweeps_at_once_send_each_message_once(mailoutbox: list[EmailMultiAlternatives], settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    messages = [a_notification() for _ in range(10)]

    at_once([partial(JOBS[0].run, NOW)] * 4)

    assert sorted(mail.to for mail in mailoutbox) == sorted([address_of(message)] for message in messages)
