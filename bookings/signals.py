"""What happened to bookings, for higher apps to hear. Sent inside the transaction that made the change."""

from django.dispatch import Signal

booking_placed = Signal()  # booking, now: seats are held until it is paid
booking_confirmed = Signal()  # booking, now
booking_confirmed_by_hand = Signal()  # booking, actor, now: besides `booking_confirmed`; nothing is due for it
booking_given = Signal()  # booking, invitation (a link for an account that was never used, or None), actor, now
confirmation_requested = Signal()  # booking, actor, now: somebody wants the confirmation to be sent again
booking_cancelled = Signal()  # booking, actor, now
booking_expired = Signal()  # booking, now
waitlist_joined = Signal()  # entry, now
seat_offered = Signal()  # entry, now: seats are held for a party on the waitlist until the offer's deadline
offers_left = Signal()  # event, now: more seats may be free for those who wait than one transaction offers
offer_lapsed = Signal()  # entry, now
waitlist_closed = Signal()  # entry, reason (in words), now: somebody's place ended, and not by their own doing
booking_moved = Signal()  # booking, moved_at, now: its event took another time or place, and the person is to be told
