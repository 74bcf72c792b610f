"""What happened to events, for higher apps to hear. Sent inside the transaction that made the change."""

from django.dispatch import Signal

event_published = Signal()  # event, actor, now
event_cancelled = Signal()  # event, actor, now
event_completed = Signal()  # event, now
event_moved = Signal()  # event, actor, now: its start, end or place changed while the public could book it
sales_changed = Signal()  # event, now: more seats, or more time to book them, may have come by an edit
