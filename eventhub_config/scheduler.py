"""Beat's scheduler."""

import datetime
import logging
import signal
import sys
import time
from typing import Any

from django.db import Error, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from eventhub_config.shared.errors import database_was_lost

ASK_AGAIN_SECONDS = 2.0
logger = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """Reads and keeps the schedule in the database, and ends when it is asked to, whatever it is doing.

    Celery's own handler of a signal first saves the schedule, on a connection that may be in use where the signal came.
    The error of that then takes the place of the end, and Beat goes on. It saves on its way out as well.

    While the database cannot be reached, it waits: django-celery-beat's own ends over that.
    """

    def setup_schedule(self) -> None:
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, lambda *_: sys.exit())
        while True:
            try:
                super().setup_schedule()
            except Error as error:
                self._wait_for_the_database(error)
                self._initial_read = True
                time.sleep(ASK_AGAIN_SECONDS)
            else:
                return

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return for how many seconds nothing is."""
        try:
            seconds: float = super().tick(*args, **kwargs)
        except Error as error:
            self._wait_for_the_database(error)
            self._last_full_sync -= datetime.timedelta(days=1)  # so that it is read anew
            return ASK_AGAIN_SECONDS
        return seconds

    def _wait_for_the_database(self, error: Error) -> None:
        """Get ready to ask again.

        :raises Error: the database was not the trouble.
        """
        if not database_was_lost(error):
            raise error
        logger.warning("The schedule cannot be read: %s", error)
        close_old_connections()
