"""What the pages of money share."""

from typing import Any

from bookings.admin import BookedEventFilter
from eventhub_config.shared import money

# What became of the work that a row stands for.
WORK = ("attempts", "next_attempt_at", "parked_at", "last_error")


def amount_text(row: Any) -> str:
    return f"{money.as_text(row.amount, row.currency)} {row.currency}"


class PaidEventFilter(BookedEventFilter):
    path = "payment__booking__event"
