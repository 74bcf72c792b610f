"""Invoices go out by mail with the document, which marks them as sent (PAY-4)."""

import hashlib
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives

from events.tests.factories import NOW
from notifications.models import Notification
from notifications.services import deliver
from payments.models import Invoice
from payments.services import mark_as_sent
from payments.tests.invoices import a_credit_note, an_invoice

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


def deliver_news_of(invoice: Invoice) -> Notification:
    message = Notification.objects.get(kind="invoice_issued", data__invoice=invoice.pk)
    deliver(notification_id=message.pk, now=LATER)
    message.refresh_from_db()
    invoice.refresh_from_db()
    return message


def test_brings_the_document_as_it_was_issued(mailoutbox: list[EmailMultiAlternatives]) -> None:
    invoice = an_invoice()

    message = deliver_news_of(invoice)

    ((name, content, media_type),) = mailoutbox[0].attachments
    assert (name, media_type) == (f"{invoice.number}.pdf", "application/pdf")
    assert hashlib.sha256(content).hexdigest() == invoice.pdf_sha256
    assert (message.status, invoice.sent_at) == ("sent", LATER)


def test_credit_notes_go_out_too(mailoutbox: list[EmailMultiAlternatives]) -> None:
    note = a_credit_note(an_invoice(), "5.00")

    deliver_news_of(note)

    assert mailoutbox[0].subject.startswith(f"Credit note {note.number}")
    assert mailoutbox[0].attachments[0][0] == f"{note.number}.pdf"
    assert note.sent_at == LATER


def test_one_that_was_sent_already_keeps_its_moment(mailoutbox: list[EmailMultiAlternatives]) -> None:
    invoice = an_invoice()
    mark_as_sent(invoice_id=invoice.pk, actor=invoice.booking.event.organizer, now=NOW)

    deliver_news_of(invoice)

    assert (len(mailoutbox), invoice.sent_at) == (1, NOW)


def test_who_wants_no_mail_was_sent_none(mailoutbox: list[EmailMultiAlternatives]) -> None:
    invoice = an_invoice()
    profile = invoice.booking.user.profile
    profile.notification_preferences = {"payment": False}
    profile.save()

    message = deliver_news_of(invoice)

    assert (message.skip_reason, invoice.sent_at, mailoutbox) == ("unwanted", None, [])


def test_waits_where_there_is_no_document_to_bring(mailoutbox: list[EmailMultiAlternatives]) -> None:
    """The document is the news: a mail without it would be none."""
    invoice = an_invoice()
    message = Notification.objects.get(kind="invoice_issued")
    Notification.objects.update(data=message.data | {"invoice": 10**9})

    deliver(notification_id=message.pk, now=LATER)

    message.refresh_from_db()
    invoice.refresh_from_db()
    assert (message.status, message.attempts, message.next_attempt_at) == ("sending", 1, LATER + timedelta(seconds=20))
    assert (mailoutbox, invoice.sent_at) == ([], None)
