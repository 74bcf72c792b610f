"""Beat's scheduler."""

import signal
import sys

from django_celery_beat.schedulers import DatabaseScheduler


class Scheduler(DatabaseScheduler):
    """Reads and keeps the schedule in the database, and ends when it is asked to, whatever it is doing.

    Celery's own handler of a signal first saves the schedule, on a connection that may be in use where the signal came.
    The error of that then takes the place of the end, and Beat goes on. It saves on its way out as well.
    """

    def setup_schedule(self) -> None:
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, lambda *_: sys.exit())
        super().setup_schedule()
