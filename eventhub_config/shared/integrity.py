"""Proving from the rows that no invariant is broken.

An app lists its checks as ``CHECKS`` in its ``integrity.py``; ``manage.py check_integrity`` runs them all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count
from django.utils import timezone

from eventhub_config.shared.images import files
from eventhub_config.shared.images.storing import MAY_BE_UNUSED, unused
from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.shared.registry import contributions
from eventhub_config.shared.transitions import status_models


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
    """A named invariant; ``find`` yields (subject, message) for each row that breaks it."""

    name: str
    promise: str
    find: Callable[[], Iterable[tuple[str, str]]]

    def findings(self) -> Iterator[Finding]:
        for subject, message in self.find():
            yield Finding(self.name, subject, message)


def all_checks() -> list[Check]:
    return [check for _app, checks in contributions("integrity", "CHECKS") for check in checks]


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
        last: dict[int, str] = dict(
            StatusChange.objects.filter(subject_type=label).order_by("id").values_list("subject_id", "to_status")
        )
        for pk, status in model._base_manager.order_by("pk").values_list("pk", "status"):
            if pk not in last and not model.RECORDS_CREATION and status in model.INITIAL:
                continue
            if last.get(pk) != status:
                yield f"{label} {pk}", f"is {status}, but its history ends in {last.get(pk, 'nothing')}"


def _pictures_without_their_files() -> Iterator[tuple[str, str]]:
    kept = StoredImage.objects.filter(discarded_at=None).exclude(pk__in=unused(StoredImage.objects.all()).values("pk"))
    for key, rendered_at in kept.order_by("created_at", "pk").values_list("pk", "rendered_at"):
        expected = {files.MASTER, *(files.SIZES if rendered_at else ())}
        for name in sorted(expected - files.there_are(key)):
            yield f"picture {key}", f"has no file {name}"


def _pictures_that_nobody_uses() -> Iterator[tuple[str, str]]:
    # Twice the time after which the hourly job discards them.
    old = StoredImage.objects.filter(discarded_at=None, created_at__lt=timezone.now() - 2 * MAY_BE_UNUSED)
    for key in unused(old).order_by("created_at", "pk").values_list("pk", flat=True):
        yield f"picture {key}", "is used by nobody, and was not discarded"


CHECKS = [
    Check("history_moves", "No move outside the table of states stands in the history.", _moves_outside_the_table),
    Check("history_complete", "Each row's state is where its history ends.", _states_without_their_history),
    Check("image_files", "Every picture in use has its files in the storage.", _pictures_without_their_files),
    Check("image_use", "Pictures that nobody uses are discarded.", _pictures_that_nobody_uses),
]
