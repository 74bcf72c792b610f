"""Starting many threads at the same moment, each with a database connection of its own."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from eventhub_config.shared.errors import DomainError


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls in parallel from one barrier; return each result, or the refusal or error it raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def outcomes(results: Sequence[Any]) -> Counter[str]:
    """Count the results: ``ok``, or the code of the refusal, or the name of the error."""
    return Counter(_name(result) for result in results)


def _name(result: Any) -> str:
    if isinstance(result, DomainError):
        return result.code
    return f"{type(result).__name__}: {result}" if isinstance(result, Exception) else "ok"
