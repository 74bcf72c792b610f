"""Proving from the rows that no invariant is broken.

An app lists its checks as ``CHECKS`` in its ``integrity.py``; ``manage.py check_integrity`` runs them all. A check
looks for what is wrong in the database itself, so that its memory does not grow with the books.
"""

import contextvars
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Round
from django.utils import timezone

from eventhub_config.shared import money
from eventhub_config.shared.images import files
from eventhub_config.shared.images.storing import MAY_BE_UNUSED, unused
from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.shared.owed_work import CLAIM_LASTS, OwedWork
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.transitions import status_models

logger = logging.getLogger(__name__)

# Five times as often as the sweeps run: what they have not done by then, they do not do.
SWEPT_WITHIN = timedelta(minutes=5)
# Workers may be behind for a while; then somebody should know.
WORKED_WITHIN = timedelta(minutes=30)
CHUNK = 1000  # rows read at once where a check has to look at each of them

_as_of = contextvars.ContextVar[datetime | None]("as_of", default=None)


@dataclass(frozen=True)
class Finding:
    """One broken invariant on one row."""

    check: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.message}"


@dataclass(frozen=True)
class Check:
    """A named invariant; ``find`` yields (subject, message) for each row that breaks it.

    ``remedy``: what whoever finds it broken does next.
    """

    name: str
    promise: str
    find: Callable[[], Iterable[tuple[str, str]]]
    remedy: str = ""

    def findings(self) -> Iterator[Finding]:
        for subject, message in self.find():
            yield Finding(self.name, subject, message)


@dataclass
class Verdict:
    """What came of one check: the first of its findings, how many there are, or why it could not run."""

    app: str
    check: Check
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    error: str = ""


def checks_by_app() -> list[tuple[str, Check]]:
    return [(app, check) for app, checks in contributions("integrity", "CHECKS") for check in checks]


def added_up(amount: Any) -> Round:
    """Return what was added up of amounts, as they are: SQLite keeps fractions in binary, and is a hair off."""
    return Round(amount, precision=money.DECIMAL_PLACES)


def all_checks() -> list[Check]:
    return [check for _app, check in checks_by_app()]


def wrong(rows: QuerySet[Any], condition: Q | None = None) -> Iterator[Any]:
    """Yield the rows that break a promise in their order, few at a time: on a bad day there are many."""
    return (rows if condition is None else rows.filter(condition)).order_by("pk").iterator(chunk_size=CHUNK)


def moment() -> datetime:
    """Return the moment that the rows are looked at: that of the snapshot, however long the checks before took."""
    return _as_of.get() or timezone.now()


def verdicts(names: Collection[str] = (), *, keep: int | None = None) -> Iterator[Verdict]:
    """Run the checks of these names (none: all), one after the other, on one snapshot of the rows.

    ``keep``: how many findings of each are returned; all are counted. A check that breaks stops no other.
    """
    chosen = [(app, check) for app, check in checks_by_app() if not names or check.name in names]
    with _one_snapshot():
        token = _as_of.set(timezone.now())
        try:
            for app, check in chosen:
                yield _run(app, check, keep)
        finally:
            _as_of.reset(token)


def _run(app: str, check: Check, keep: int | None) -> Verdict:
    verdict = Verdict(app, check)
    # A statement that fails spoils PostgreSQL's transaction up to here only.
    inside = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with inside:
            for finding in check.findings():
                verdict.count += 1
                if keep is None or verdict.count <= keep:
                    verdict.findings.append(finding)
    except Exception as error:  # whatever is wrong with one check must not hide what the others find
        logger.exception("The check %s could not run", check.name)
        verdict.error = f"{type(error).__name__}: {error}".strip()
    return verdict


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Let all statements inside see the rows as they stand now, whoever goes on writing; nobody waits for that.

    Without it a busy system gives false alarms: a booking is read before it is paid, its payment after.
    """
    if connection.in_atomic_block:  # a test's: it is alone with its rows
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        # By hand: Django's own transactions take SQLite's write lock at once.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")


def _moves_outside_the_table() -> Iterator[tuple[str, str]]:
    for model in status_models():
        moves = (
            StatusChange.objects.filter(subject_type=model._meta.label_lower)
            .order_by("from_status", "to_status")
            .values_list("from_status", "to_status")
            .annotate(times=Count("id"))
        )
        for before, after, times in moves:
            allowed = after in model.INITIAL if not before else after in model.TRANSITIONS.get(before, ())
            if not allowed:
                yield model._meta.label_lower, f"{before or 'new'} → {after} stands {times} times in the history"


def _states_without_their_history() -> Iterator[tuple[str, str]]:
    """Compare each row's state with the last move in its history."""
    for model in status_models():
        label = model._meta.label_lower
        changes = StatusChange.objects.filter(subject_type=label, subject_id=OuterRef("pk")).order_by("-id")
        rows = model._base_manager.annotate(last=Subquery(changes.values("to_status")[:1]))
        wrong = rows.filter(Q(last=None) | ~Q(last=F("status")))
        if not model.RECORDS_CREATION:
            wrong = wrong.exclude(last=None, status__in=model.INITIAL)
        for pk, status, last in wrong.order_by("pk").values_list("pk", "status", "last").iterator(chunk_size=CHUNK):
            yield f"{label} {pk}", f"is {status}, but its history ends in {last or 'nothing'}"


def _histories_with_holes() -> Iterator[tuple[str, str]]:
    """Look for moves that do not begin where the one before ended, and for histories that begin in the middle."""
    for model in status_models():
        label = model._meta.label_lower
        earlier = StatusChange.objects.filter(
            subject_type=label, subject_id=OuterRef("subject_id"), id__lt=OuterRef("id")
        ).order_by("-id")
        moves = StatusChange.objects.filter(subject_type=label).annotate(
            before=Subquery(earlier.values("to_status")[:1])
        )
        torn = Q(before__isnull=False) & ~Q(before=F("from_status"))
        headless = Q(before=None) & ~Q(from_status="")
        if not model.RECORDS_CREATION:
            headless &= ~Q(from_status__in=model.INITIAL)
        wrong = moves.filter(torn | headless).order_by("id").values_list("subject_id", "before", "from_status")
        for pk, before, after in wrong.iterator(chunk_size=CHUNK):
            yield f"{label} {pk}", f"moved on from {after or 'nothing'}, and was {before or 'nothing'} before"


def _work_that_nobody_does() -> Iterator[tuple[str, str]]:
    """Look for rows whose time came long ago, and for claims that no worker can hold."""
    late, beyond = moment() - WORKED_WITHIN, moment() + 2 * CLAIM_LASTS
    for model in _owed_models():
        for row in wrong(model._base_manager.all(), OwedWork.due(late)):
            yield _named(model, row), f"is due since {row.next_attempt_at:%Y-%m-%d %H:%M:%S}, and nobody took it"
        for row in wrong(model._base_manager.all(), Q(claimed_until__gt=beyond)):
            yield _named(model, row), f"is claimed until {row.claimed_until:%Y-%m-%d %H:%M:%S}: no claim lasts as long"


def _owed_models() -> list[type[OwedWork]]:
    return [model for model in apps.get_models() if issubclass(model, OwedWork)]


def _named(model: type[OwedWork], row: OwedWork) -> str:
    return f"{model._meta.verbose_name} {row}"


def _pictures_without_their_files() -> Iterator[tuple[str, str]]:
    kept = StoredImage.objects.filter(discarded_at=None).exclude(pk__in=unused(StoredImage.objects.all()).values("pk"))
    for key, rendered_at in kept.order_by("created_at", "pk").values_list("pk", "rendered_at"):
        expected = {files.MASTER, *(files.SIZES if rendered_at else ())}
        for name in sorted(expected - files.there_are(key)):
            yield f"picture {key}", f"has no file {name}"


def _pictures_that_nobody_uses() -> Iterator[tuple[str, str]]:
    # Twice the time after which the hourly job discards them.
    old = StoredImage.objects.filter(discarded_at=None, created_at__lt=moment() - 2 * MAY_BE_UNUSED)
    for key in unused(old).order_by("created_at", "pk").values_list("pk", flat=True):
        yield f"picture {key}", "is used by nobody, and was not discarded"


CHECKS = [
    Check(
        "history_moves",
        "No move outside the table of states stands in the history.",
        _moves_outside_the_table,
        "Find out which code or hand wrote that move: services cannot. Its row of history names the actor.",
    ),
    Check(
        "history_complete",
        "Each row's state is where its history ends.",
        _states_without_their_history,
        "Somebody wrote the state past the services. See what it should be, and whether its effects took place.",
    ),
    Check(
        "history_unbroken",
        "Each move begins where the one before ended.",
        _histories_with_holes,
        "Rows of history are missing or were changed. Compare with a backup.",
    ),
    Check(
        "work_done",
        "What is owed is done soon after its time.",
        _work_that_nobody_does,
        "See whether worker and beat are running (/readyz), and what the worker's log says of this row.",
    ),
    Check(
        "image_files",
        "Every picture in use has its files in the storage.",
        _pictures_without_their_files,
        "Restore the files from a backup of the storage, or have the picture uploaded again.",
    ),
    Check(
        "image_use",
        "Pictures that nobody uses are discarded.",
        _pictures_that_nobody_uses,
        "See whether beat runs discard_unused_images.",
    ),
]
