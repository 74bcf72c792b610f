"""How gunicorn serves Event Hub: ``gunicorn --config=python:eventhub_config.gunicorn eventhub_config.wsgi``."""

from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

# Asked for all the time, and of no interest while they succeed.
QUIET_PATHS = ("/static/", "/media/", "/healthz", "/readyz")
FIRST_ERROR = 400


class OneLinePerRequest(Logger):
    """Writes its lines in the shape of all other ones (LOGGING in the settings)."""

    error_fmt = "%(asctime)s %(levelname)s %(name)s [-] %(message)s"
    access_fmt = "%(asctime)s %(levelname)s %(name)s %(message)s"
    datefmt = None

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        status = int(str(resp.status).split(maxsplit=1)[0])
        if status >= FIRST_ERROR or not environ["PATH_INFO"].startswith(QUIET_PATHS):
            super().access(resp, req, environ, request_time)

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        # As it was sent: a decoded line break would begin a line of the sender's choice. Without the query, which
        # may hold an address or a token.
        atoms["U"] = environ["RAW_URI"].partition("?")[0]
        return atoms


workers = 2
# The application is read once, before the workers part from the server: they share its memory (40 MB less each), and
# the next one after a worker that died answers at once instead of after the half second of a processor that reading
# takes. Nothing may be connected to while it is read.
preload_app = True
limit_request_line = 8190  # beyond this gunicorn itself answers, in HTML
accesslog = "-"
access_log_format = "[%({x-request-id}o)s] %(h)s %(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
logger_class = OneLinePerRequest
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn makes a private file there: a slow disk looks like a dead worker
    worker_tmp_dir = "/dev/shm"  # noqa: S108
