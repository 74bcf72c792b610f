"""NTF-1: a message is sent by e-mail, with a text and an HTML body."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from bookings.tests.factories import a_booking
from events.tests.factories import NOW, an_event
from notifications.models import Notification
from notifications.services import deliver
from notifications.tests.factories import a_notification
from users.models import CustomUser, UserProfile
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db
Status = Notification.Status


def sent_about(booking: Any, mailoutbox: list[EmailMultiAlternatives]) -> EmailMultiAlternatives:
    message = Notification.objects.get(dedupe_key=f"booking.confirmed:{booking.pk}")
    deliver(notification_id=message.pk, now=NOW)
    (mail,) = mailoutbox
    return mail


def html_of(mail: EmailMultiAlternatives) -> str:
    ((html, mimetype),) = mail.alternatives
    assert mimetype == "text/html"
    return str(html)


def test_a_confirmed_booking_is_told_in_text_and_html(mailoutbox: list[EmailMultiAlternatives]) -> None:
    event = an_event(title="Zero to API", starts_at=NOW + timedelta(days=3), city="Berlin")
    booking = a_booking(event=event, user=a_user(email="ada@example.org"), seats=2)

    mail = sent_about(booking, mailoutbox)

    assert (mail.to, mail.subject) == (["ada@example.org"], "You are booked: Zero to API")
    assert mail.body.splitlines() == [
        "You are booked: Zero to API",
        "",
        f"Your booking {booking.reference} for “Zero to API” is confirmed. We look forward to seeing you.",
        "",
        "Event: Zero to API",
        "When: Thu 4 March 2027, 13:00 to 16:00 (Europe/Berlin, UTC+01:00)",
        "Where: Town Hall, Berlin",
        f"Booking: {booking.reference}",
        "Seats: 2",
        "",
        f"See your booking: https://eventhub.example/bookings/{booking.pk}",
        "",
        "-- ",
        "Event Hub",
        "https://eventhub.example",
    ]
    html = html_of(mail)
    assert f'href="https://eventhub.example/bookings/{booking.pk}"' in html
    for text in ("You are booked: Zero to API", "Thu 4 March 2027, 13:00 to 16:00", "Town Hall, Berlin"):
        assert text in html


def test_times_are_the_event_s_own_on_both_sides_of_a_change_of_clocks(
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    before_the_change = NOW.replace(month=3, day=27, hour=20)
    event = an_event(starts_at=before_the_change, ends_at=before_the_change + timedelta(hours=8))

    mail = sent_about(a_booking(event=event), mailoutbox)

    assert "When: Sat 27 March 2027, 21:00 to Sun 28 March 2027, 06:00 (Europe/Berlin, UTC+01:00)" in mail.body


def test_zones_of_half_an_hour_are_written_out(mailoutbox: list[EmailMultiAlternatives]) -> None:
    mail = sent_about(a_booking(event=an_event(timezone="Asia/Kathmandu")), mailoutbox)

    assert "17:45 to 20:45 (Asia/Kathmandu, UTC+05:45)" in mail.body


def test_without_a_front_end_there_are_no_links(mailoutbox: list[EmailMultiAlternatives], settings: Any) -> None:
    settings.FRONTEND_URL = ""

    mail = sent_about(a_booking(), mailoutbox)

    assert "http" not in mail.body
    assert "<a " not in html_of(mail)


def test_the_message_id_is_the_row_s(mailoutbox: list[EmailMultiAlternatives], settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Event Hub <events@hub.example>"
    message = a_notification()

    deliver(notification_id=message.pk, now=NOW)

    (mail,) = mailoutbox
    assert mail.message()["Message-ID"] == f"<notification.{message.pk}.{int(NOW.timestamp())}@hub.example>"
    assert mail.message()["Auto-Submitted"] == "auto-generated"


def test_it_is_recorded_and_not_sent_again(mailoutbox: list[EmailMultiAlternatives]) -> None:
    message = a_notification()

    deliver(notification_id=message.pk, now=NOW)
    deliver(notification_id=message.pk, now=NOW + timedelta(hours=1))

    message.refresh_from_db()
    assert (message.status, message.sent_at, message.skip_reason) == (Status.SENT, NOW, "")
    assert (message.next_attempt_at, message.claimed_until) == (None, None)
    assert len(mailoutbox) == 1


def no_address(user: CustomUser) -> None:
    CustomUser.objects.filter(pk=user.pk).update(email="")


def inactive(user: CustomUser) -> None:
    CustomUser.objects.filter(pk=user.pk).update(is_active=False)


def unwanted(user: CustomUser) -> None:
    UserProfile.objects.filter(user=user).update(notification_preferences={"confirmation": False, "payment": True})


@pytest.mark.parametrize("make_so", [no_address, inactive, unwanted])
def test_whoever_gets_no_mail_still_has_the_message(make_so: Any, mailoutbox: list[EmailMultiAlternatives]) -> None:
    message = a_notification()
    make_so(message.user)

    deliver(notification_id=message.pk, now=NOW)

    message.refresh_from_db()
    assert (message.status, message.skip_reason, message.sent_at) == (Status.SENT, make_so.__name__, NOW)
    assert mailoutbox == []


def test_an_unknown_message_is_nothing_to_do(mailoutbox: list[EmailMultiAlternatives]) -> None:
    deliver(notification_id=10**9, now=NOW)

    assert mailoutbox == []
