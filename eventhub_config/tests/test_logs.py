"""The lines that a person reads: one per request, none for what goes on all the time, mails as text."""

import io
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from gunicorn.config import Config

from eventhub_config import gunicorn
from eventhub_config.shared.console_mail import EmailBackend
from eventhub_config.shared.logs import WithoutRoutine


@pytest.fixture
def accessed(caplog: pytest.LogCaptureFixture) -> Any:
    """Give a function that logs one request and returns the line that it made, if any."""
    config = Config()
    config.set("accesslog", "-")
    config.set("access_log_format", gunicorn.access_log_format)
    log = gunicorn.OneLinePerRequest(config)
    caplog.set_level(logging.INFO)
    log.access_log.addHandler(caplog.handler)

    def access(target: str, status: str = "200 OK") -> str:
        environ = {
            "RAW_URI": target,
            "PATH_INFO": target.partition("?")[0].replace("%0A", "\n"),
            "REQUEST_METHOD": "GET",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
        }
        response = SimpleNamespace(status=status, sent=12, headers=[("X-Request-ID", "the-request")])
        caplog.clear()
        log.access(response, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=5))
        return caplog.text

    yield access
    log.access_log.removeHandler(caplog.handler)


def test_a_request_is_a_line_under_its_id(accessed: Any) -> None:
    assert "[the-request] 192.0.2.7 GET /api/events/ 200 12 bytes 5 ms" in accessed("/api/events/")


def test_what_a_query_holds_stays_out(accessed: Any) -> None:
    assert "someone@example.com" not in accessed("/admin/?q=someone@example.com")


def test_a_path_begins_no_line_of_its_own(accessed: Any) -> None:
    assert accessed("/%0A2026-01-01", "404 Not Found").count("\n") == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/admin/css/base.css"])
def test_health_and_static_files_are_told_when_they_fail_only(accessed: Any, path: str) -> None:
    assert accessed(path) == ""
    assert path in accessed(path, "503 Service Unavailable")


@pytest.mark.parametrize(
    ("name", "message", "data", "level", "kept"),
    [
        ("celery.beat", "Scheduler: Sending due task %s (%s)", None, logging.INFO, False),
        ("celery.beat", "beat: Starting...", None, logging.INFO, True),
        ("celery.app.trace", "Task %(name)s succeeded", {"name": "eventhub.run_job"}, logging.INFO, False),
        ("celery.app.trace", "Task %(name)s raised", {"name": "eventhub.run_job"}, logging.ERROR, True),
        ("celery.app.trace", "Task %(name)s succeeded", {"name": "payments.send_refund"}, logging.INFO, True),
        ("events", "Scheduler: Sending due task", None, logging.INFO, True),
    ],
)
def test_routine_is_left_out(name: str, message: str, data: dict[str, str] | None, level: int, kept: bool) -> None:
    record = logging.LogRecord(name, level, "", 0, message, None, None)
    record.data = data

    assert WithoutRoutine().filter(record) is kept


def test_a_printed_mail_is_its_text() -> None:
    printed = io.StringIO()
    message = EmailMultiAlternatives("You are booked: Bücher", "See you there.\n", to=["ada@example.com"])
    message.attach_alternative("<p>See you there.</p>", "text/html")
    message.attach("ticket.pdf", b"%PDF", "application/pdf")

    assert EmailBackend(stream=printed).send_messages([message]) == 1

    assert printed.getvalue() == (
        "--- a mail to ada@example.com ---\nSubject: You are booked: Bücher\nAttached: ticket.pdf\n\n"
        "See you there.\n---\n"
    )


def test_a_forged_header_is_refused_as_it_would_be_by_a_mail_server() -> None:
    message = EmailMultiAlternatives("One\nBcc: many@example.com", "Text", to=["ada@example.com"])

    with pytest.raises(ValueError, match="newlines"):
        EmailBackend(stream=io.StringIO()).send_messages([message])
