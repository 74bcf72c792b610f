"""A mail server that takes everything and sends nothing on."""

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


class MailSink(socketserver.ThreadingTCPServer):
    """What was sent to it, in the order of arrival. Speaks as much of RFC 5321 as a client needs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[EmailMessage] = []

    @property
    def settings(self) -> dict[str, str]:
        """The environment of processes that are to send their mails here."""
        host, port = self.server_address[:2]
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": str(host),
            "EMAIL_PORT": str(port),
        }

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline():
            command = line[:4].upper().strip()
            if command == b"DATA":
                self._say("354 go on")
                self._take_mail()
                self._say("250 taken")
            elif command == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 sink")

    def _take_mail(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        content = b"".join(line.removeprefix(b".") for line in lines)
        mail = message_from_bytes(content, policy=policy.default)
        cast(MailSink, self.server).mails.append(mail)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextlib.contextmanager
def mail_sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        thread = threading.Thread(target=sink.serve_forever, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            sink.shutdown()
            thread.join()


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def token_in(text: object) -> str:
    """Return the token of the link in a mail's text."""
    found = re.search(r"[?&]token=([\w.=-]+)", str(text))
    assert found, text
    return found[1]
