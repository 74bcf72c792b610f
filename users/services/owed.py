"""Doing what a row stands for in one transaction, and putting it off where that fails."""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime

from eventhub_config.shared.owed_work import OwedWork
from eventhub_config.shared.transactions import unit_of_work

logger = logging.getLogger(__name__)


def attempt(row: OwedWork, work: Callable[[], object], *, now: datetime) -> None:
    """Run ``work``; if it fails, record that on the row, to be tried again later."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  (whatever is wrong with one row must not stop the others)
        # Not the error's own words: those of the database repeat addresses.
        reason, way = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s %s failed with %s\n%s", row._meta.label, row.pk, reason, way)
        _put_off(row, reason, now=now)


@unit_of_work
def _put_off(row: OwedWork, reason: str, *, now: datetime) -> None:
    fresh = type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
    if fresh is not None and fresh.next_attempt_at is not None:
        fresh.attempts += 1
        fresh.work_failed(reason, now=now)
        fresh.save(update_fields=fresh.WORK_COLUMNS)
