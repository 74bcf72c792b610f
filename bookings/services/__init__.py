"""What can be done with bookings."""

from bookings.services.attendance import has_attended
from bookings.services.booking import book_seats
from bookings.services.changing import change_booking
from bookings.services.closing import (
    cancel_booking,
    cancellation_terms,
    close_after_event_cancellation,
    expire_booking,
    expire_overdue_holds,
    lock_booking,
)
from bookings.services.confirming import confirm_booking, confirm_by_hand, confirm_late_payment, extend_hold
from bookings.services.eligibility import read_eligibility
from bookings.services.moving import owe_move_notices, tell_of_move

__all__ = [
    "book_seats",
    "cancel_booking",
    "cancellation_terms",
    "change_booking",
    "close_after_event_cancellation",
    "confirm_booking",
    "confirm_by_hand",
    "confirm_late_payment",
    "expire_booking",
    "expire_overdue_holds",
    "extend_hold",
    "has_attended",
    "lock_booking",
    "owe_move_notices",
    "read_eligibility",
    "tell_of_move",
]
