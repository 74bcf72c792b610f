"""A mail that cannot be sent is tried again, later and later, and shown to people in the end."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend as Memory

from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.models import StatusChange
from eventhub_config.shared.owed_work import CLAIM_LASTS
from events.tests.factories import NOW
from notifications.jobs import JOBS, messages_to_send
from notifications.mail import address_of
from notifications.models import Notification
from notifications.services import deliver, resend
from notifications.tests.factories import a_notification
from users.models import CustomUser
from users.tests.factories import an_admin

pytestmark = pytest.mark.django_db
Status = Notification.Status


class Refusing(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("nobody listens on port 25")


class Deadly(BaseEmailBackend):
    """Ends the worker in the middle of sending: nothing is recorded any more."""

    def send_messages(self, email_messages: Any) -> int:
        raise KeyboardInterrupt


class RefusingOneAddress(Memory):
    def send_messages(self, messages: Any) -> int:
        if any("bad@example.org" in mail.to for mail in messages):
            raise OSError("550 no such mailbox")
        return super().send_messages(messages)


@pytest.fixture
def mail_is_refused(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"


def moves(message: Notification) -> list[tuple[str, str, str]]:
    history = StatusChange.objects.filter(subject_type="notifications.notification", subject_id=message.pk)
    return list(history.order_by("id").values_list("from_status", "to_status", "actor"))


def given_up(message: Notification) -> Notification:
    now = NOW
    while message.parked_at is None:
        now += timedelta(hours=1)
        deliver(notification_id=message.pk, now=now)
        message.refresh_from_db()
    return message


@pytest.mark.usefixtures("mail_is_refused")
def test_the_pauses_grow() -> None:
    message = a_notification()
    pauses = []
    now = NOW

    for _ in range(4):
        deliver(notification_id=message.pk, now=now)
        message.refresh_from_db()
        assert message.next_attempt_at is not None
        pauses.append((message.next_attempt_at - now).total_seconds())
        now = message.next_attempt_at

    assert pauses == [20, 40, 80, 160]
    assert (message.status, message.attempts) == (Status.SENDING, 4)
    assert "nobody listens on port 25" in message.last_error


def test_nothing_is_tried_before_its_time(mailoutbox: list[Any], settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    message = a_notification()
    deliver(notification_id=message.pk, now=NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    deliver(notification_id=message.pk, now=NOW + timedelta(seconds=19))
    assert mailoutbox == []

    deliver(notification_id=message.pk, now=NOW + timedelta(seconds=20))
    assert len(mailoutbox) == 1
    message.refresh_from_db()
    assert (message.status, message.last_error) == (Status.SENT, "")


@pytest.mark.usefixtures("mail_is_refused")
def test_after_the_last_attempt_it_is_given_up_and_shown() -> None:
    message = given_up(a_notification())

    assert (message.status, message.attempts) == (Status.FAILED, Notification.MAX_ATTEMPTS)
    assert message.pk not in messages_to_send(NOW + timedelta(days=365))
    worker = "system:deliver_message"
    assert moves(message) == [("unsent", "sending", worker), ("sending", "failed", worker)]


def test_a_person_can_have_it_sent_anew(mailoutbox: list[Any], settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    message = given_up(a_notification())
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    admin = an_admin()
    later = NOW + timedelta(days=2)

    resend(notification_id=message.pk, actor=admin, now=later)
    assert message.pk in messages_to_send(later)
    deliver(notification_id=message.pk, now=later)

    message.refresh_from_db()
    assert (message.status, message.sent_at, message.attempts) == (Status.SENT, later, 1)
    assert moves(message)[2:] == [
        ("failed", "unsent", f"user:{admin.pk}"),
        ("unsent", "sending", "system:deliver_message"),
        ("sending", "sent", "system:deliver_message"),
    ]


def test_what_was_sent_is_not_sent_anew(mailoutbox: list[Any]) -> None:
    message = a_notification()
    deliver(notification_id=message.pk, now=NOW)

    with pytest.raises(InvalidTransition):
        resend(notification_id=message.pk, actor=an_admin(), now=NOW)

    message.refresh_from_db()
    assert (message.status, message.next_attempt_at, len(mailoutbox)) == (Status.SENT, None, 1)


def test_a_worker_that_died_over_it_is_followed_by_another(mailoutbox: list[Any]) -> None:
    message = a_notification()
    with pytest.raises(KeyboardInterrupt):
        deliver(notification_id=message.pk, now=NOW, through=Deadly())

    deliver(notification_id=message.pk, now=NOW + CLAIM_LASTS - timedelta(seconds=1))
    assert mailoutbox == []

    deliver(notification_id=message.pk, now=NOW + CLAIM_LASTS)
    message.refresh_from_db()
    assert (message.status, len(mailoutbox)) == (Status.SENT, 1)


def test_a_message_that_kills_every_worker_is_given_up() -> None:
    message = a_notification()
    now = NOW
    for _ in range(Notification.MAX_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            deliver(notification_id=message.pk, now=now, through=Deadly())
        now += CLAIM_LASTS

    deliver(notification_id=message.pk, now=now)

    message.refresh_from_db()
    assert (message.status, message.parked_at) == (Status.FAILED, now)
    assert message.last_error == "The worker died while sending it."


@pytest.mark.parametrize(("code", "status"), [(450, Status.SENDING), (550, Status.FAILED)])
def test_an_address_refused_for_good_is_given_up_at_once(
    code: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = a_notification()
    refusal = SMTPRecipientsRefused({address_of(message): (code, b"mailbox unavailable")})
    monkeypatch.setattr(Memory, "send_messages", Mock(side_effect=refusal))

    deliver(notification_id=message.pk, now=NOW)

    message.refresh_from_db()
    assert (message.status, message.parked_at) == (status, NOW if code == 550 else None)
    assert "mailbox unavailable" in message.last_error


def test_a_night_without_a_mail_server_gives_nothing_up(settings: Any, mailoutbox: list[Any]) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    message = a_notification()
    for minute in range(12 * 60):
        JOBS[0].run(NOW + timedelta(minutes=minute))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    JOBS[0].run(NOW + timedelta(hours=13))

    message.refresh_from_db()
    assert (message.status, len(mailoutbox)) == (Status.SENT, 1)


def test_one_bad_address_stops_nobody_else(mailoutbox: list[Any], settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusingOneAddress"
    bad, *good = [a_notification(now=NOW + timedelta(seconds=number)) for number in range(10)]
    CustomUser.objects.filter(pk=bad.user_id).update(email="bad@example.org")

    JOBS[0].run(NOW + timedelta(minutes=1))

    bad.refresh_from_db()
    assert (bad.status, bad.sent_at) == (Status.SENDING, None)
    assert set(Notification.objects.filter(status=Status.SENT)) == set(good)
    assert len(mailoutbox) == 9


def test_a_row_that_nobody_can_make_a_mail_of_stops_nobody_else(mailoutbox: list[Any]) -> None:
    poisoned = a_notification(kind="a kind of another release")
    good = a_notification(now=NOW + timedelta(seconds=1))

    JOBS[0].run(NOW + timedelta(minutes=1))

    poisoned.refresh_from_db()
    good.refresh_from_db()
    assert (poisoned.status, good.status) == (Status.SENDING, Status.SENT)
    assert "a kind of another release" in poisoned.last_error
