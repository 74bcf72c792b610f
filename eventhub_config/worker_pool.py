"""How a worker keeps its children: as Celery does, but that it goes on if one of them died while Redis was away."""

from typing import Any

from celery.concurrency import asynpool, prefork


class Pool(asynpool.AsynPool):
    def _track_child_process(self, proc: Any, hub: Any) -> None:
        """Watch a child, unless it has ended already.

        When its connection is back, Celery 5.7 begins to watch all that it still lists, and ends over one of which it
        has closed the only thing to watch.
        """
        if getattr(proc, "_sentinel_poll", proc) is not None:
            super()._track_child_process(proc, hub)  # type: ignore[misc]  # the stubs do not know it


class TaskPool(prefork.TaskPool):
    Pool = Pool
