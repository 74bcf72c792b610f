"""What the pages of money share."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bookings.admin import BookedEventFilter
from eventhub_config.shared import money
from eventhub_config.shared.scoped_admin import ScopedAdmin

# What became of the work that a row stands for.
WORK = ("attempts", "next_attempt_at", "parked_at", "last_error")


def amount_text(row: Any) -> str:
    return f"{money.as_text(row.amount, row.currency)} {row.currency}"


class PaidEventFilter(BookedEventFilter):
    path = "payment__booking__event"


class NeedsAttentionFilter(admin.SimpleListFilter):
    """Work that failed for good, or was tried too often: nothing becomes of it without a person."""

    title = "needs attention"
    parameter_name = "needs_attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(parked_at__isnull=False) if self.value() == "yes" else queryset


class TriesAgain(ScopedAdmin):
    """Pages of work that can be given up, with the action that takes it up again."""

    def row_actions_of(self, row: Any) -> dict[str, str]:
        return {"try_again_selected": "Try again"} if row.parked_at else {}

    def try_again(self, request: HttpRequest, row: Any, now: datetime) -> None:
        raise NotImplementedError

    @admin.action(description="Try again what was given up", permissions=["view"])
    def try_again_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.do_each(request, queryset, lambda row, now: self.try_again(request, row, now), "taken up again")
