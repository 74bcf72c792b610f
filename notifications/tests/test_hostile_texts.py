"""Names and titles cannot forge headers of mails, nor put HTML into them."""

from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from bookings.tests.factories import a_booking
from events.models import Event
from events.tests.factories import NOW, an_event
from notifications.models import Notification
from notifications.services import deliver, notify
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db
FORGED = "Yoga\r\nBcc: everybody@example.org\n\nBuy\u2028now\x00\ud800"


def mail_about(event: Event, mailoutbox: list[EmailMultiAlternatives]) -> EmailMultiAlternatives:
    message = Notification.objects.get(dedupe_key=f"booking.confirmed:{a_booking(event=event).pk}")
    deliver(notification_id=message.pk, now=NOW)
    (mail,) = mailoutbox
    return mail


def test_line_breaks_in_a_name_stay_in_the_subject() -> None:
    user = a_user()

    notify(
        user_id=user.pk,
        kind="booking_confirmed",
        dedupe_key="forged",
        context={"event": FORGED, "reference": "7K3M-9QXW"},
        data={},
        now=NOW,
    )

    message = Notification.objects.get(dedupe_key="forged")
    assert message.title == "You are booked: Yoga Bcc: everybody@example.org Buy now"
    assert "\n" not in message.body


def test_line_breaks_in_a_title_forge_no_header(mailoutbox: list[EmailMultiAlternatives]) -> None:
    event = an_event()
    Event.objects.filter(pk=event.pk).update(title="Yoga\r\nBcc: everybody@example.org\r\n\r\nBuy now")
    event.refresh_from_db()

    mail = mail_about(event, mailoutbox)

    assert mail.recipients() == [mail.to[0]]
    assert mail.message()["Bcc"] is None
    assert mail.subject == "You are booked: Yoga Bcc: everybody@example.org Buy now"
    assert "Event: Yoga Bcc: everybody@example.org Buy now\n" in mail.body


def test_html_in_a_title_is_text(mailoutbox: list[EmailMultiAlternatives]) -> None:
    title = '<script>alert("1")</script> & <b>{event}</b>'

    mail = mail_about(an_event(title=title), mailoutbox)

    ((content, _mimetype),) = mail.alternatives
    html = str(content)
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &lt;b&gt;{event}&lt;/b&gt;" in html
    assert mail.subject == f"You are booked: {title}"
    assert f"Event: {title}\n" in mail.body


def test_a_very_long_title_is_cut() -> None:
    user = a_user()
    context: dict[str, Any] = {"event": "x" * 500, "reference": "7K3M-9QXW"}

    notify(user_id=user.pk, kind="booking_confirmed", dedupe_key="long", context=context, data={}, now=NOW)

    message = Notification.objects.get(dedupe_key="long")
    assert (len(message.title), message.title[-2:]) == (200, "x…")
