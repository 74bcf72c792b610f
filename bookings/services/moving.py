"""Events that move after people booked: everybody may give back what they did not book, and is told once."""

from datetime import datetime

from bookings import signals
from bookings.models import Booking
from eventhub_config.shared.transactions import unit_of_work
from events.models import Event

CONCERNED = (Booking.Status.PENDING, Booking.Status.CONFIRMED)


@unit_of_work
def owe_move_notices(*, event: Event, now: datetime) -> int:
    """Let everybody who has booked cancel for nothing until the new start, and owe them the news; return how many.

    In the transaction that moves the event and holds its lock: whoever books later books what they see. All are locked
    before one is changed, in the order in which the door locks bookings: a plain UPDATE takes them as they come, and
    would wait for an upload of scans that waits for it.
    """
    concerned = Booking.objects.filter(event=event, status__in=CONCERNED)
    bool(concerned.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return concerned.update(free_cancellation_until=event.starts_at, move_notice_owed_since=now)


@unit_of_work
def tell_of_move(*, booking_id: int, now: datetime) -> bool:
    """Have the person behind a booking told that its event was moved; return whether it was this call that did.

    With the event as it is now: moved twice before, it is told once.
    """
    booking = Booking.objects.select_for_update(no_key=True).filter(pk=booking_id).first()
    if booking is None or booking.move_notice_owed_since is None:
        return False
    # Read after the booking was locked: another move would have to wait for us to owe its news.
    booking.event = event = Event.objects.get(pk=booking.event_id)
    moved_at, booking.move_notice_owed_since = booking.move_notice_owed_since, None
    booking.save(update_fields=["move_notice_owed_since"])
    if booking.status not in CONCERNED or event.status == Event.Status.CANCELLED or event.ends_at <= now:
        return False  # nothing to come to any more, and of a cancellation they are told as well
    signals.booking_moved.send(sender=Booking, booking=booking, moved_at=moved_at, now=now)
    return True
