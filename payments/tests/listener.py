"""A web server that listens to callbacks and answers as a test wants."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


class Listener(ThreadingHTTPServer):
    """What was posted to it, in the order of arrival: headers (by their names in lower case) and body of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.heard: list[tuple[Mapping[str, str], bytes]] = []
        self.status = 200
        self.seconds = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hear"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        listener = cast(Listener, self.server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        listener.heard.append((headers, self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(listener.seconds)
        with contextlib.suppress(ConnectionError):
            self.send_response(listener.status)
            self.send_header("Location", listener.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
