"""A confirmation that is sent once more, for whoever asks for it."""

from datetime import datetime, timedelta

from bookings import signals
from bookings.models import Booking
from bookings.services.paper import require_papers
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import DomainError
from eventhub_config.shared.transactions import unit_of_work

PAUSE = timedelta(minutes=5)


class SentJustNow(DomainError):
    code = "sent_just_now"
    title = "The confirmation was sent again less than five minutes ago."


@unit_of_work
def resend_confirmation(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Owe the person who booked another confirmation, with the tickets as they are now.

    :raises EventIsCancelled: there is nothing left to confirm.
    :raises NotConfirmed: the booking is not confirmed, or no longer.
    :raises SentJustNow: somebody asked for it in the last five minutes.
    """
    booking = Booking.objects.select_for_update(no_key=True, of=("self",)).select_related("event").get(pk=booking_id)
    require_papers(booking)
    again_at = booking.confirmation_resent_at + PAUSE if booking.confirmation_resent_at else now
    if now < again_at:
        seconds = -((now - again_at) // timedelta(seconds=1))  # rounded up
        raise SentJustNow(headers={"Retry-After": str(seconds)})
    booking.confirmation_resent_at = now
    booking.save(update_fields=["confirmation_resent_at"])
    signals.confirmation_requested.send(sender=Booking, booking=booking, actor=actor, now=now)
    return booking
