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
from bookings.services.complimentary import give_booking, give_bookings, why_not_given
from bookings.services.confirming import confirm_booking, confirm_by_hand, confirm_late_payment, extend_hold
from bookings.services.door import check_in, check_in_ticket, record_scans, undo_check_in
from bookings.services.eligibility import read_eligibility
from bookings.services.goodwill import lower_amount_due
from bookings.services.moving import owe_move_notices, tell_of_move
from bookings.services.no_shows import close_doors, mark_no_show, undo_no_show
from bookings.services.paper import ticket_on_paper, tickets_on_paper
from bookings.services.queue import follow_sales, lapse_offer
from bookings.services.resending import resend_confirmation
from bookings.services.waitlist import (
    accept_offer,
    decline_offer,
    join_waitlist,
    leave_waitlist,
    offer_next,
    tend_waitlist,
)

__all__ = [
    "accept_offer",
    "book_seats",
    "cancel_booking",
    "cancellation_terms",
    "change_booking",
    "check_in",
    "check_in_ticket",
    "close_after_event_cancellation",
    "close_doors",
    "confirm_booking",
    "confirm_by_hand",
    "confirm_late_payment",
    "decline_offer",
    "expire_booking",
    "expire_overdue_holds",
    "extend_hold",
    "follow_sales",
    "give_booking",
    "give_bookings",
    "has_attended",
    "join_waitlist",
    "lapse_offer",
    "leave_waitlist",
    "lock_booking",
    "lower_amount_due",
    "mark_no_show",
    "offer_next",
    "owe_move_notices",
    "read_eligibility",
    "record_scans",
    "resend_confirmation",
    "tell_of_move",
    "tend_waitlist",
    "ticket_on_paper",
    "tickets_on_paper",
    "undo_check_in",
    "undo_no_show",
    "why_not_given",
]
