"""What can be done with bookings."""

from bookings.services.booking import book_seats
from bookings.services.closing import (
    cancel_booking,
    close_after_event_cancellation,
    expire_booking,
    expire_overdue_holds,
    lock_booking,
)
from bookings.services.confirming import confirm_booking, confirm_late_payment, extend_hold

__all__ = [
    "book_seats",
    "cancel_booking",
    "close_after_event_cancellation",
    "confirm_booking",
    "confirm_late_payment",
    "expire_booking",
    "expire_overdue_holds",
    "extend_hold",
    "lock_booking",
]
