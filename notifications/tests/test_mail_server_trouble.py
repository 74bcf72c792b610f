"""A mail server that hangs or is gone never touches a request; the mail arrives once it is back."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from rest_framework.test import APIClient

from events.tests.factories import NOW, an_event
from notifications.jobs import JOBS
from notifications.models import Notification
from users.tests.factories import a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_now")]


@pytest.fixture
def hanging_server(settings: Any) -> Iterator[socket.socket]:
    """Give a mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.3
        yield server


def test_booking_does_not_wait_for_it(
    hanging_server: socket.socket, mailoutbox: list[EmailMultiAlternatives], settings: Any
) -> None:
    event = an_event()
    user = a_user()
    client = APIClient()
    client.force_authenticate(user)

    began = time.perf_counter()
    response = client.post("/api/bookings/", {"event": event.pk})
    took = time.perf_counter() - began

    message = Notification.objects.get(user=user)
    assert (response.status_code, message.status) == (201, Notification.Status.UNSENT)
    assert took < 2
    with pytest.raises(BlockingIOError):
        hanging_server.accept()  # nobody has even called

    JOBS[0].run(NOW)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Notification.Status.SENDING, 1)
    assert "timed out" in message.last_error

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    JOBS[0].run(NOW + timedelta(minutes=1))
    message.refresh_from_db()
    assert message.status == Notification.Status.SENT
    assert [mail.to for mail in mailoutbox] == [[user.email]]
