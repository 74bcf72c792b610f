"""What mails bring along: tickets and calendar entries, as they are when the mail is sent (BKG-4, BKG-7)."""

import logging
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from icalendar import Calendar
from pytest_django import Settings

from bookings.models import Booking, Ticket
from bookings.services import cancel_booking, resend_confirmation, tell_of_move
from bookings.tests.factories import a_booking
from eventhub_config.shared.images import files
from eventhub_config.shared.models import StoredImage
from eventhub_config.tests.paper import qr_codes, texts
from eventhub_config.tests.pictures import png_bomb
from events.models import Event
from events.services import update_event
from events.tests.factories import NOW
from notifications.models import Notification
from notifications.services import deliver
from users.models import UserProfile
from users.tests.factories import a_user

pytestmark = pytest.mark.django_db


def sent(kind: str, booking: Booking, mailoutbox: list[EmailMultiAlternatives]) -> EmailMessage:
    """Deliver the latest message of a kind, and return it as a mail program reads it."""
    message = Notification.objects.filter(user=booking.user, kind=kind).latest("pk")
    deliver(notification_id=message.pk, now=NOW)
    message.refresh_from_db()
    assert (message.status, message.skip_reason) == ("sent", "")
    read: Any = message_from_bytes(mailoutbox[-1].message().as_bytes(), policy=policy.default)
    return read


def attached(mail: EmailMessage) -> dict[str, Any]:
    return {str(part.get_filename()): part for part in mail.iter_attachments()}


def codes_of(booking: Booking) -> list[str]:
    return list(Ticket.objects.filter(booking=booking).order_by("pk").values_list("code", flat=True))


def test_a_confirmation_brings_the_tickets_and_a_calendar_entry(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking(seats=2)

    papers = attached(sent("booking_confirmed", booking, mailoutbox))

    tickets, entry = f"tickets-{booking.reference}.pdf", f"booking-{booking.reference}.ics"
    assert set(papers) == {tickets, entry}
    assert papers[tickets].get_content_type() == "application/pdf"
    assert qr_codes(papers[tickets].get_content()) == [[code] for code in codes_of(booking)]
    assert papers[entry].get_content_type() == "text/calendar"
    assert papers[entry].get_param("method") == "PUBLISH"
    (event,) = Calendar.from_ical(papers[entry].get_content()).walk("VEVENT")
    assert booking.reference in str(event["DESCRIPTION"])


def test_they_tell_what_holds_when_the_mail_is_sent(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking()
    Event.objects.filter(pk=booking.event_id).update(venue_name="Another Hall")

    papers = attached(sent("booking_confirmed", booking, mailoutbox))

    assert "Another Hall" in texts(papers[f"tickets-{booking.reference}.pdf"].get_content())[0]


def test_a_moved_event_brings_new_ones(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking()
    update_event(event_id=booking.event_id, changes={"city": "Hamburg"}, actor=booking.event.organizer, now=NOW)
    tell_of_move(booking_id=booking.pk, now=NOW)

    papers = attached(sent("booking_moved", booking, mailoutbox))

    assert "Hamburg" in texts(papers[f"tickets-{booking.reference}.pdf"].get_content())[0]
    assert "Hamburg" in papers[f"booking-{booking.reference}.ics"].get_content()


def test_a_cancelled_booking_takes_its_entry_out_of_the_calendar(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    papers = attached(sent("booking_cancelled", booking, mailoutbox))

    (entry,) = papers.values()
    assert (entry.get_content_type(), entry.get_param("method")) == ("text/calendar", "CANCEL")
    assert Calendar.from_ical(entry.get_content())["METHOD"] == "CANCEL"


def test_one_that_was_never_confirmed_is_in_no_calendar(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking(price=10)
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    assert attached(sent("booking_cancelled", booking, mailoutbox)) == {}


def test_a_hold_brings_nothing(mailoutbox: list[EmailMultiAlternatives]) -> None:
    booking = a_booking(price=10)

    assert attached(sent("booking_placed", booking, mailoutbox)) == {}


def test_a_late_confirmation_brings_no_tickets_that_are_none(
    mailoutbox: list[EmailMultiAlternatives], caplog: pytest.LogCaptureFixture
) -> None:
    booking = a_booking()
    cancel_booking(booking_id=booking.pk, actor=booking.user, now=NOW)

    papers = attached(sent("booking_confirmed", booking, mailoutbox))

    assert set(papers) == {f"booking-{booking.reference}.ics"}
    assert papers[f"booking-{booking.reference}.ics"].get_param("method") == "CANCEL"
    assert caplog.text == ""


def test_tickets_that_cannot_be_made_keep_no_mail_back(
    mailoutbox: list[EmailMultiAlternatives], caplog: pytest.LogCaptureFixture, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    booking = a_booking(user=a_user(first_name="Ada"))
    # Nothing of ours would store it: a picture of more pixels than anybody decodes.
    cover = StoredImage.objects.create(purpose="cover", uploaded_by=1, width=1, height=1, created_at=NOW)
    files.save(cover.pk, files.MASTER, png_bomb())
    Event.objects.filter(pk=booking.event_id).update(cover=cover)

    with caplog.at_level(logging.WARNING):
        papers = attached(sent("booking_confirmed", booking, mailoutbox))

    assert set(papers) == {f"booking-{booking.reference}.ics"}
    assert "goes out without tickets: DecompressionBombError" in caplog.text
    assert "Ada" not in caplog.text


def test_it_is_sent_again_with_its_papers_whatever_the_person_prefers(
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    booking = a_booking()
    UserProfile.objects.filter(user=booking.user).update(notification_preferences={"confirmation": False})
    resend_confirmation(booking_id=booking.pk, actor=booking.event.organizer, now=NOW)

    mail = sent("confirmation_requested", booking, mailoutbox)

    assert (mail["to"], mail["subject"]) == (booking.user.email, f"Your booking, once more: {booking.event.title}")
    assert set(attached(mail)) == {f"tickets-{booking.reference}.pdf", f"booking-{booking.reference}.ics"}


def test_each_request_is_a_message_of_its_own() -> None:
    booking = a_booking()
    for minutes in (0, 5):
        now = NOW + timedelta(minutes=minutes)
        resend_confirmation(booking_id=booking.pk, actor=booking.user, now=now)

    keys = Notification.objects.filter(user=booking.user, kind="confirmation_requested").values_list("dedupe_key")

    assert sorted(key for (key,) in keys) == [
        f"booking.confirmed:{booking.pk}:2027-03-01T12:00:00+00:00",
        f"booking.confirmed:{booking.pk}:2027-03-01T12:05:00+00:00",
    ]
