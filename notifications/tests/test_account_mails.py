"""USR-4, USR-5: what people are mailed about their accounts, and to which address."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from events.tests.factories import NOW
from notifications.jobs import JOBS, purge_mail_to_strangers
from notifications.messages import ACCOUNT_MAILS
from notifications.models import Notification
from notifications.tests.mail_sink import token_in
from notifications.texts import duration, masked
from users.jobs import JOBS as USERS_JOBS
from users.models import AccountLink, CustomUser, UserProfile
from users.services import (
    change_password,
    confirm_address,
    confirm_email_change,
    register_user,
    request_email_change,
    request_password_reset,
    request_registration,
    reset_password,
    set_organizer_status,
)
from users.tests.factories import PASSWORD, a_client_of, a_user, an_admin, an_organizer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

ABOUT_ACCOUNTS = {*ACCOUNT_MAILS, "password_changed", "organizer_approved", "organizer_rejected"}
ADA: dict[str, Any] = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}


def work(now: Any = NOW) -> None:
    """Do what workers would do: find out whom to write to, then write."""
    for job in (*USERS_JOBS, *JOBS):
        if job.name.startswith("sweep_"):
            job.run(now)


def sent(mailoutbox: list[EmailMultiAlternatives]) -> list[tuple[str, str]]:
    return sorted((mail.to[0], mail.subject) for mail in mailoutbox)


def the_mail(mailoutbox: list[EmailMultiAlternatives], subject: str) -> EmailMultiAlternatives:
    (mail,) = [mail for mail in mailoutbox if mail.subject == subject]
    return mail


def test_a_new_account_gets_a_link_to_confirm_its_address(mailoutbox: list[EmailMultiAlternatives]) -> None:
    register_user(**ADA, now=NOW)
    work()

    assert sent(mailoutbox) == [
        ("ada@example.org", "Confirm your e-mail address"),
        ("ada@example.org", "Welcome to Event Hub"),
    ]
    mail = the_mail(mailoutbox, "Confirm your e-mail address")
    token = token_in(mail.body)
    assert mail.body.splitlines() == [
        "Confirm your e-mail address",
        "",
        (
            "Please confirm that this is the address of your account ada. The link works once, within 3 days. "
            "If you have no such account, ignore this mail."
        ),
        "",
        "Works until: Thu 4 March 2027, 12:00 (UTC)",
        "",
        f"Confirm this address: https://eventhub.example/verify-email?token={token}",
        "",
        "-- ",
        "Event Hub",
        "https://eventhub.example",
    ]
    ((html, _kind),) = mail.alternatives
    assert f'href="https://eventhub.example/verify-email?token={token}"' in str(html)
    assert confirm_address(token=token, username=None, now=NOW).email_verified_at == NOW


def test_a_registration_that_waits_gets_a_link_and_no_account(mailoutbox: list[EmailMultiAlternatives]) -> None:
    request_registration(**ADA, now=NOW)
    work()

    assert sent(mailoutbox) == [("ada@example.org", "Confirm your registration")]
    (mail,) = mailoutbox
    assert "has registered the account ada at Event Hub" in mail.body
    ((html, _kind),) = mail.alternatives
    assert "because somebody entered your address" in str(html)
    assert "because you have an account" not in str(html)
    confirm_address(token=token_in(mail.body), username=None, now=NOW)
    work()
    assert sent(mailoutbox)[1:] == [("ada@example.org", "Welcome to Event Hub")]


def test_a_registration_with_a_taken_address_is_told_to_its_owner(mailoutbox: list[EmailMultiAlternatives]) -> None:
    a_user(username="owner", email="ada@example.org")
    for number in range(3):
        request_registration(**ADA | {"username": f"ada{number}"}, now=NOW)
    work()

    assert sent(mailoutbox) == [("ada@example.org", "You have an account already")]  # once an hour
    assert "belongs to your account owner" in mailoutbox[0].body
    assert "token" not in mailoutbox[0].body


def test_a_forgotten_password_gets_a_link_and_the_new_one_a_notice(mailoutbox: list[EmailMultiAlternatives]) -> None:
    user = a_user(email="ada@example.org")
    request_password_reset(login="ADA@example.org", address="192.0.2.1", now=NOW)
    work()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ada@example.org"], "Set a new password")
    assert "it works once, within 1 hour." in mail.body
    assert "https://eventhub.example/reset-password?token=" in mail.body

    reset_password(token=token_in(mail.body), new_password="another pass phrase", now=NOW)
    work()

    assert sent(mailoutbox)[1:] == [("ada@example.org", "Your password was changed")]
    user.refresh_from_db()
    assert user.check_password("another pass phrase")


def test_nobody_is_mailed_for_a_name_that_nobody_has(mailoutbox: list[EmailMultiAlternatives]) -> None:
    request_password_reset(login="nobody@example.org", address="192.0.2.1", now=NOW)
    work()

    assert mailoutbox == []
    assert not Notification.objects.exists()


def test_a_password_change_is_told_whatever_one_wants_mailed(mailoutbox: list[EmailMultiAlternatives]) -> None:
    user = a_user(email="ada@example.org")
    UserProfile.objects.filter(user=user).update(notification_preferences={"update": False})

    change_password(
        user_id=user.pk, current_password=PASSWORD, new_password="another one!", session_id=None, actor=user, now=NOW
    )
    work()

    assert sent(mailoutbox) == [("ada@example.org", "Your password was changed")]


def test_a_change_of_address_is_told_to_both_and_confirmed_at_the_new_one(
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    user = a_user(username="ada", email="old@example.org")
    request_email_change(user_id=user.pk, email="new@sub.example.com", current_password=PASSWORD, actor=user, now=NOW)
    work()

    assert sent(mailoutbox) == [
        ("new@sub.example.com", "Confirm your new e-mail address"),
        ("old@example.org", "Your e-mail address is about to change"),
    ]
    notice = the_mail(mailoutbox, "Your e-mail address is about to change")
    assert "of your account ada to n…@s….com." in notice.body
    assert "new@" not in notice.body
    link = the_mail(mailoutbox, "Confirm your new e-mail address")
    assert "https://eventhub.example/confirm-email?token=" in link.body
    assert "within 24 hours." in link.body

    confirm_email_change(token=token_in(link.body), now=NOW)
    work()

    assert ("old@example.org", "Your e-mail address was changed") in sent(mailoutbox)
    assert CustomUser.objects.get().email == "new@sub.example.com"


def test_a_change_to_a_taken_address_is_told_to_its_owner(mailoutbox: list[EmailMultiAlternatives]) -> None:
    a_user(username="owner", email="new@example.org")
    user = a_user(email="old@example.org")

    request_email_change(user_id=user.pk, email="New@Example.org", current_password=PASSWORD, actor=user, now=NOW)
    work()

    assert sent(mailoutbox) == [
        ("new@example.org", "You have an account already"),
        ("old@example.org", "Your e-mail address is about to change"),
    ]


@pytest.mark.parametrize(
    ("status", "subject"),
    [("approved", "You can publish events now"), ("rejected", "Your organizer account was not approved")],
)
def test_an_organizer_learns_what_was_decided(
    status: str, subject: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    """USR-3"""
    organizer = an_organizer(organizer_status="pending", email="olga@example.org")

    set_organizer_status(user_id=organizer.pk, organizer_status=status, actor=an_admin(), now=NOW)
    set_organizer_status(user_id=organizer.pk, organizer_status="pending", actor=an_admin(), now=NOW)
    work()

    assert sent(mailoutbox) == [("olga@example.org", subject)]
    assert Notification.objects.get().in_app


def test_without_a_front_end_links_lead_to_our_own_pages(
    mailoutbox: list[EmailMultiAlternatives], settings: Any
) -> None:
    """RELIABILITY H11: whatever Host a request names."""
    settings.FRONTEND_URL, settings.PUBLIC_URL = "", "https://api.example"
    settings.ALLOWED_HOSTS = ["*"]
    a_user(email="ada@example.org")
    client = a_client_of(a_user())
    client.credentials()

    client.post("/api/auth/password/reset/", {"email": "ada@example.org"}, headers={"Host": "evil.example"})
    work()

    assert "https://api.example/account/reset-password/?token=" in mailoutbox[0].body
    assert "evil" not in mailoutbox[0].message().as_string()


def test_a_link_that_has_ended_is_not_mailed(mailoutbox: list[EmailMultiAlternatives]) -> None:
    user = register_user(**ADA, now=NOW)
    confirm = Notification.objects.get(kind="verify_email")
    AccountLink.objects.update(closed_at=NOW, close_reason="used")
    work()

    confirm.refresh_from_db()
    assert (confirm.status, confirm.skip_reason) == ("sent", "outdated")
    assert sent(mailoutbox) == [(user.email, "Welcome to Event Hub")]


def test_mails_about_links_are_in_no_list_and_no_count() -> None:
    user = register_user(**ADA, now=NOW)
    client = a_client_of(user)

    listed = client.get("/api/notifications/").json()

    assert [item["title"] for item in listed["results"]] == ["Welcome to Event Hub"]
    assert client.get("/api/notifications/unread_count/").json() == {"unread_count": 1}
    hidden = Notification.objects.get(kind="verify_email")
    assert client.get(f"/api/notifications/{hidden.pk}/").status_code == 404
    assert client.post(f"/api/notifications/{hidden.pk}/mark_as_read/").status_code == 404
    assert client.post("/api/notifications/mark_all_as_read/").json() == {"marked": 1}


def test_mail_to_strangers_is_forgotten_after_a_week() -> None:
    request_registration(**ADA, now=NOW)
    user = a_user()
    request_email_change(user_id=user.pk, email="new@example.org", current_password=PASSWORD, actor=user, now=NOW)
    work()
    week = timedelta(days=7)

    assert purge_mail_to_strangers(NOW + week) == 0
    assert purge_mail_to_strangers(NOW + week + timedelta(seconds=1)) == 1

    assert not Notification.objects.filter(user=None).exists()
    assert Notification.objects.filter(user=user).count() == 2


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(hours=72), "3 days"),
    ],
)
def test_time_to_act_is_told_in_words(time: timedelta, words: str) -> None:
    assert duration(time) == words


@pytest.mark.parametrize(
    ("email", "shown"),
    [("ada@example.org", "a…@e….org"), ("a@b", "a…@…b"), ("x.y@mail.example.co.uk", "x…@m….uk")],
)
def test_a_masked_address_tells_its_owner_only(email: str, shown: str) -> None:
    assert masked(email) == shown
