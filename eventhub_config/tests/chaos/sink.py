"""A mail server that only counts how often each mail was handed to it."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import cast

from notifications.tests.mail_sink import MailSink, _Conversation

NUMBER = re.compile(rb"Message-ID: <notification\.(\d+)\.", re.IGNORECASE)


class CountingSink(MailSink):
    """Keeps no mail: thousands come, some of them with papers."""

    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = _Counting
        self.times: Counter[int] = Counter()  # by the number of the message


class _Counting(_Conversation):
    def handle(self) -> None:
        with contextlib.suppress(OSError):  # its client was killed in the middle of it
            super().handle()

    def _take_mail(self) -> None:
        number = 0
        for line in iter(self.rfile.readline, b".\r\n"):
            if not line:
                raise ConnectionError("cut off before the end")
            if not number and (found := NUMBER.match(line)):
                number = int(found[1])
        cast(CountingSink, self.server).times[number] += 1


@contextlib.contextmanager
def counting_sink() -> Iterator[CountingSink]:
    with CountingSink() as sink:
        thread = threading.Thread(target=sink.serve_forever, daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            sink.shutdown()
            thread.join()
