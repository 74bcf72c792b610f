"""Money that goes back although no policy owes it: less is due for the booking from then on."""

from decimal import Decimal

from bookings.models import Booking
from eventhub_config.shared import money
from eventhub_config.shared.transactions import unit_of_work


@unit_of_work
def lower_amount_due(*, booking: Booking, to: Decimal, reason: str) -> None:
    """Let less be due for a booking than was. Never more: then nothing changes. The caller holds the booking's lock.

    What stands although nothing is due for it any more says why.
    """
    if to >= booking.amount_due:
        return
    booking.amount_due = max(to, money.ZERO)
    if booking.amount_due == money.ZERO and booking.is_active:
        booking.waiver_reason = booking.waiver_reason or reason[:255]
    booking.save(update_fields=["amount_due", "waiver_reason"])
