"""What the processes said, and whether each traceback in it is what the faults explain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from eventhub_config.tests.chaos.machinery import Part

# How an error ends that a lost database, a lost Redis or a killed process explains.
EXPLAINED = re.compile(
    r"""(django\.db\.utils\.|psycopg2\.(errors\.)?)(OperationalError|InterfaceError|AdminShutdown|CrashShutdown)
      | (django\.db\.utils\.|psycopg2\.)DatabaseError:\ (server\ closed|SSL|could\ not|error\ with\ status)
      | ((redis|kombu|amqp)\.exceptions\.)?(OperationalError|ConnectionError|TimeoutError|BusyLoadingError)
      | celery\.beat\.SchedulingError  # it could not be sent; the next one can
      | (billiard\.(einfo|exceptions)\.)?WorkerLostError
      | (ConnectionRefusedError|ConnectionResetError|BrokenPipeError)
    """,
    re.VERBOSE,
)
LAST_LINE = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(: (?P<message>.*))?$")


def unexplained(parts: list[Part]) -> Counter[str]:
    """Return how often each kind of traceback stands in the logs that no fault explains."""
    return Counter(f"{part.name}: {error}" for part in parts for error in errors(part.output()) if is_strange(error))


def is_strange(error: str) -> bool:
    return not EXPLAINED.match(error)


def errors(output: str) -> Iterator[str]:
    """Yield the last line of each traceback; of a chain, that of its end."""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if line.strip().endswith("Traceback (most recent call last):"):
            last, error = _end(lines, number + 1)
            if not _goes_on(lines, last + 1):
                yield error


def _goes_on(lines: list[str], number: int) -> bool:
    """Return whether another error came of this one. Its message may have more lines, each indented."""
    while number < len(lines) and (not lines[number].strip() or lines[number][0].isspace()):
        number += 1
    return number < len(lines) and lines[number].endswith(("another exception occurred:", "the following exception:"))


def _end(lines: list[str], number: int) -> tuple[int, str]:
    while number < len(lines):
        line = lines[number].strip("| ")
        if not lines[number].startswith(("  ", "\t", "| ")) and LAST_LINE.match(line):
            return number, line[:300]
        number += 1
    return number - 1, "a traceback without an end"
