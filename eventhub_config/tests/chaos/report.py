"""What a run shows to people."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from eventhub_config.tests.chaos.clients import Chronicle
from eventhub_config.tests.chaos.faults import Broken
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, UNKNOWN, Deed

READS = {"look", "payments", "bookings", "list at the door"}
RECOVERIES = ("database killed", "database backend killed", "database frozen", "Redis killed", "Redis frozen",
              "web server killed", "Celery worker killed")  # fmt: skip
MOST_FINDINGS = 60


def attempts(history: Chronicle) -> list[Deed]:
    """Return the deeds that were to change something."""
    return [deed for deed in history.deeds if deed.what not in READS]


def faults_table(broken: Sequence[Broken], deeds: Sequence[Deed]) -> str:
    """Return a line for each kind of fault: how often, and after it the seconds to the first success of anybody."""
    counted = Counter(one.fault.kind for one in broken)
    lines = [f"{'':28}{'times':>8}{'recovery p50':>14}{'longest':>10}"]
    for kind, times in counted.most_common():
        found = list(recoveries((one for one in broken if one.fault.kind == kind), deeds)) if kind in RECOVERIES else []
        told = f"{statistics.median(found):12.1f} s{max(found):8.1f} s" if found else ""
        lines.append(f"{kind:28}{times:8}{told}")
    return "\n".join(lines)


def recoveries(broken: Iterable[Broken], deeds: Sequence[Deed]) -> Iterable[float]:
    """Yield, for each fault, after how long something that was begun after it succeeded: a write, by anybody."""
    good = sorted((deed.began, deed.ended) for deed in deeds if deed.outcome == ACKNOWLEDGED and deed.tries == 1)
    for one in broken:
        after = [ended for began, ended in good if began >= one.began and ended >= one.began]
        if after:
            yield min(after) - one.began


def unknowns(history: Chronicle) -> str:
    """Return what became of what was not answered at first."""
    tried = attempts(history)
    asked_again = sum(deed.tries > 1 for deed in tried)
    keyless = [history.deeds[position] for position in history.keyless]
    lost = sum(deed.outcome == UNKNOWN and deed.what not in READS for deed in keyless)
    still = sum(deed.outcome == UNKNOWN for deed in tried) - lost
    return (
        f"{asked_again} were asked again, with the same key, until known; {still} stayed unknown; "
        f"{lost} had no key, and were looked up"
    )


def findings_text(findings: Sequence[str]) -> str:
    shown = [f"  {finding}" for finding in findings[:MOST_FINDINGS]]
    if len(findings) > MOST_FINDINGS:
        shown.append(f"  ... and {len(findings) - MOST_FINDINGS} more")
    return "\n".join([f"{len(findings)} findings", *shown])
