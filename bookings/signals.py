"""What happened to bookings, for higher apps to hear. Sent inside the transaction that made the change."""

from django.dispatch import Signal

booking_placed = Signal()  # booking, now: seats are held until it is paid
booking_confirmed = Signal()  # booking, now
booking_cancelled = Signal()  # booking, actor, now
booking_expired = Signal()  # booking, now
booking_moved = Signal()  # booking, moved_at, now: its event took another time or place, and the person is to be told
