"""Holds what people were told, and the gateway's own books, against the rows. In SQL, with no code of the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from eventhub_config.tests.chaos.clients import Chronicle
from eventhub_config.tests.crowd.history import ACKNOWLEDGED, BROKEN, UNKNOWN, Deed
from eventhub_config.tests.crowd.judging import offers_were_made_once
from eventhub_config.tests.crowd.watching import look

TAKEN = ("completed", "partially_refunded", "refunded")
ALWAYS_PAID = ("tok_success", "tok_timeout")  # as far as they reach the gateway
NEVER_PAID = ("tok_decline",)

Judge = Callable[[Chronicle], Iterator[str]]


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


def judge(history: Chronicle) -> list[str]:
    judges: tuple[Judge, ...] = (
        nothing_is_unknown,
        nothing_broke,
        nothing_is_oversold,
        bookings_stand,
        bookings_were_made_once,
        cancellations_stand,
        acceptances_stand,
        events_stay_cancelled,
        offers_were_made_once,
        payments_stand,
        payments_were_made_once,
        refunds_stand,
        gateway_and_rows_agree,
        bookings_keep_what_is_due,
        events_keep_what_is_due,
        invoices_are_complete,
        everybody_was_told,
        nothing_is_stuck,
    )
    return [f"{judge.__name__}: {finding}" for judge in judges for finding in judge(history)]


# --- The history by itself --------------------------------------------------------------------------------------------


def nothing_is_unknown(history: Chronicle) -> Iterator[str]:
    """What was sent with a key is known by now; what was sent without one is looked up by the judges below."""
    for position, deed in enumerate(history.deeds):
        if deed.outcome == UNKNOWN and position not in history.keyless:
            yield f"{deed.what} of {deed.subject or deed.event} is still unknown after {deed.tries} tries"


def nothing_broke(history: Chronicle) -> Iterator[str]:
    for (what, status, code), times in Counter(
        (deed.what, deed.status, deed.code) for deed in history.deeds if deed.outcome == BROKEN
    ).items():
        yield f"{what} was answered {status} {code} {times} times"
    for told, times in Counter(history.promises_broken).items():
        yield f"{times} times: {told}"


# --- Seats ------------------------------------------------------------------------------------------------------------


def nothing_is_oversold(history: Chronicle) -> Iterator[str]:
    """Neither by the counters nor by counting the tickets."""
    for kind in look():
        if kind.left < 0:
            yield f"type {kind.pk} of event {kind.event}: oversold by {-kind.left}"
        if kind.taken != kind.tickets + kind.offered:
            yield f"type {kind.pk} counts {kind.taken}: {kind.tickets} tickets, {kind.offered} offered"
        if kind.quantity is not None and kind.tickets + kind.offered > kind.quantity:
            yield f"type {kind.pk}: oversold, {kind.tickets + kind.offered} of {kind.quantity} are held"
        if kind.seats_are_idle:
            yield f"type {kind.pk} has {kind.left} seats left, and {kind.waiting} parties wait"
    held = rows(
        """
        SELECT e.id, e.capacity, e.seats_taken,
               (SELECT COALESCE(SUM(b.seats), 0) FROM bookings_booking b
                 WHERE b.event_id = e.id AND b.status IN ('pending', 'confirmed', 'no_show'))
             + (SELECT COALESCE(SUM(w.seats), 0) FROM bookings_waitlist w
                 WHERE w.event_id = e.id AND w.status = 'offered')
          FROM events_event e
        """
    )
    for event, capacity, counted, found in held:
        if found != counted:
            yield f"event {event} counts {counted} seats, {found} are held"
        if capacity is not None and found > capacity:
            yield f"event {event}: oversold by {found - capacity}"


# --- Bookings ---------------------------------------------------------------------------------------------------------


def bookings_stand(history: Chronicle) -> Iterator[str]:
    """What was acknowledged is there; what became of it, somebody asked for or time did."""
    told = {deed.made: deed for what in ("book", "accept") for deed in history.of(what, ACKNOWLEDGED)}
    given_back = {deed.subject for deed in history.of("cancel", ACKNOWLEDGED, UNKNOWN)}
    payments = dict(rows("SELECT id, booking_id FROM payments_payment"))
    given_back |= {payments.get(deed.subject, 0) for deed in history.of("refund", ACKNOWLEDGED, UNKNOWN)}
    found = {
        pk: rest
        for pk, *rest in rows(
            "SELECT b.id, b.user_id, b.event_id, b.status, b.total_amount, e.status"
            "  FROM bookings_booking b JOIN events_event e ON e.id = b.event_id"
        )
    }
    for pk, deed in told.items():
        if pk not in found:
            yield f"booking {pk} was acknowledged and is missing"
            continue
        user, event, status, total, event_status = found[pk]
        if (user, event) != (deed.user, deed.event):
            yield f"booking {pk} was acknowledged to {deed.user} for event {deed.event} and is {user}'s for {event}"
        elif status == "cancelled" and pk not in given_back and event_status != "cancelled":
            yield f"booking {pk} is cancelled, and nobody asked for that"
        elif status == "expired" and not total:
            yield f"booking {pk} is free and has expired"


def bookings_were_made_once(history: Chronicle) -> Iterator[str]:
    """Each intent to book left its words on one booking, if it was acknowledged; else on none or, keyless, on one."""
    made: dict[str, list[int]] = {}
    for mark, pk in rows("SELECT special_requirements->>'other', id FROM bookings_booking WHERE invited_as = ''"):
        made.setdefault(mark or "", []).append(pk)
    intents = {mark: (deed, keyless) for mark, deed, keyless in history.marked("book")}
    yield from _held_against(made, intents, "booking")
    accepted = {deed.made for deed in history.of("accept", ACKNOWLEDGED)}
    unsure = history.count("accept", UNKNOWN)
    unmarked = [pk for mark, found in made.items() if not mark for pk in found if pk not in accepted]
    if len(unmarked) > unsure:
        yield f"{len(unmarked)} bookings were asked for by nobody, such as {unmarked[:5]}"
    gifts: dict[str, list[int]] = {}
    for email, pk in rows(
        "SELECT u.email, b.id FROM bookings_booking b JOIN users_customuser u ON u.id = b.user_id"
        " WHERE b.invited_as <> ''"
    ):
        gifts.setdefault(email, []).append(pk)
    yield from _held_against(
        gifts, {mark: (deed, keyless) for mark, deed, keyless in history.marked("give")}, "complimentary booking"
    )


def _held_against(made: dict[str, list[int]], intents: dict[str, tuple[Deed, bool]], what: str) -> Iterator[str]:
    for mark, (deed, keyless) in intents.items():
        found = made.get(mark, [])
        unsure = deed.outcome == UNKNOWN and keyless
        if deed.outcome == ACKNOWLEDGED and (found != [deed.made]):
            yield f"{what} {deed.made} was acknowledged; the rows of that intent are {found}"
        elif deed.outcome != ACKNOWLEDGED and len(found) > (1 if unsure else 0):
            yield f"one intent was {deed.outcome} ({deed.code}); its rows are {what} {found}"
    for mark in set(made) - set(intents) - {""}:
        yield f"{what} {made[mark]} was asked for by nobody"


def cancellations_stand(history: Chronicle) -> Iterator[str]:
    states = dict(rows("SELECT id, status FROM bookings_booking"))
    for deed in history.of("cancel", ACKNOWLEDGED):
        if states.get(deed.subject) != "cancelled":
            yield f"the cancellation of booking {deed.subject} was acknowledged; it is {states.get(deed.subject)}"


def acceptances_stand(history: Chronicle) -> Iterator[str]:
    found = {pk: rest for pk, *rest in rows("SELECT id, status, booking_id FROM bookings_waitlist")}
    for deed in history.of("accept", ACKNOWLEDGED):
        if found.get(deed.subject) != ["accepted", deed.made]:
            yield f"entry {deed.subject} was accepted as booking {deed.made}; the rows say {found.get(deed.subject)}"
    for deed in history.of("join", ACKNOWLEDGED):
        if deed.made not in found:
            yield f"entry {deed.made} was acknowledged and is missing"
    for deed in history.of("leave", ACKNOWLEDGED):
        if found.get(deed.subject, [""])[0] not in {"left", "cancelled", "declined"}:
            yield f"entry {deed.subject} was left, and is {found.get(deed.subject)}"


def events_stay_cancelled(history: Chronicle) -> Iterator[str]:
    states = dict(rows("SELECT id, status FROM events_event"))
    for deed in history.of("cancel event", ACKNOWLEDGED):
        if states.get(deed.event) != "cancelled":
            yield f"the cancellation of event {deed.event} was acknowledged; it is {states.get(deed.event)}"
    for event, left in rows(
        "SELECT e.id, COUNT(*) FROM events_event e JOIN bookings_booking b ON b.event_id = e.id"
        " WHERE e.status = 'cancelled' AND b.status IN ('pending', 'confirmed', 'no_show') GROUP BY e.id"
    ):
        yield f"event {event} was cancelled and {left} bookings of it stand"


# --- Money ------------------------------------------------------------------------------------------------------------


def payments_stand(history: Chronicle) -> Iterator[str]:
    found = {
        pk: rest for pk, *rest in rows("SELECT id, booking_id, status, failure_code, gateway_key FROM payments_payment")
    }
    charged = {key for (key,) in rows("SELECT key FROM payments_mockgatewayentry WHERE kind = 'charge'")}
    for token, deed, _keyless in history.marked("pay"):
        if deed.outcome != ACKNOWLEDGED:
            continue
        if deed.made not in found:
            yield f"payment {deed.made} was acknowledged and is missing"
            continue
        booking, status, failure, key = found[deed.made]
        if booking != deed.subject:
            yield f"payment {deed.made} was acknowledged for booking {deed.subject} and is for {booking}"
        if token in NEVER_PAID and status in TAKEN:
            yield f"payment {deed.made} with {token} is {status}"
        if token in ALWAYS_PAID and key in charged and status not in TAKEN:
            yield f"payment {deed.made} with {token} was taken to the gateway and is {status} ({failure})"


def payments_were_made_once(history: Chronicle) -> Iterator[str]:
    """As many payments of a booking as were acknowledged; one more for each that was sent without a key and lost."""
    acknowledged = [deed for _token, deed, _keyless in history.marked("pay") if deed.outcome == ACKNOWLEDGED]
    asked = Counter(deed.subject for deed in acknowledged)
    unsure = Counter(deed.subject for _t, deed, keyless in history.marked("pay") if deed.outcome == UNKNOWN and keyless)
    for payment, times in Counter(deed.made for deed in acknowledged).items():
        if times > 1:
            yield f"payment {payment} answered {times} intents"
    for booking, made in rows("SELECT booking_id, COUNT(*) FROM payments_payment GROUP BY booking_id"):
        if not asked[booking] <= made <= asked[booking] + unsure[booking]:
            yield f"booking {booking} has {made} payments; {asked[booking]} were acknowledged, {unsure[booking]} unsure"


def refunds_stand(history: Chronicle) -> Iterator[str]:
    """Each refund that an organizer asked for is there once, of that payment, and went back."""
    made: dict[str, list[int]] = {}
    for reason, pk in rows("SELECT reason, id FROM payments_refund WHERE reason LIKE 'intent%%'"):
        made.setdefault(reason, []).append(pk)
    cancelled = {mark for mark, *_ in history.marked("cancel")}
    intents = {mark: (deed, keyless) for mark, deed, keyless in history.marked("refund")}
    yield from _held_against({mark: pks for mark, pks in made.items() if mark not in cancelled}, intents, "refund")
    of_payment = dict(rows("SELECT id, payment_id FROM payments_refund"))
    for _mark, deed, _keyless in history.marked("refund"):
        if deed.outcome == ACKNOWLEDGED and of_payment.get(deed.made) not in {None, deed.subject}:
            yield f"refund {deed.made} was asked of payment {deed.subject} and is of {of_payment[deed.made]}"


def gateway_and_rows_agree(history: Chronicle) -> Iterator[str]:
    """Both ways, for every key: what the gateway took and gave back is what the rows say, to the cent."""
    for pk, status, amount, currency, took, entered, entered_in in rows(
        """
        SELECT p.id, p.status, p.amount, p.currency, COALESCE(m.succeeded, FALSE), m.amount, m.currency
          FROM payments_payment p LEFT JOIN payments_mockgatewayentry m ON m.key = p.gateway_key
         WHERE p.gateway = 'mock'
        """
    ):
        if took != (status in TAKEN):
            yield f"payment {pk} is {status}; the gateway {'took' if took else 'did not take'} the money"
        elif took and (amount, currency) != (entered, entered_in):
            yield f"payment {pk} says {amount} {currency}; the gateway took {entered} {entered_in}"
    for pk, status, amount, by_hand, gave, entered in rows(
        """
        SELECT r.id, r.status, r.amount, r.by_hand_note <> '', COALESCE(m.succeeded, FALSE), m.amount
          FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
          LEFT JOIN payments_mockgatewayentry m ON m.key = r.gateway_key
         WHERE p.gateway = 'mock'
        """
    ):
        if gave != (status == "completed" and not by_hand):
            yield f"refund {pk} is {status}; the gateway {'gave' if gave else 'did not give'} the money back"
        elif gave and amount != entered:
            yield f"refund {pk} says {amount}; the gateway gave {entered} back"
    for key, kind in rows(
        """
        SELECT m.key, m.kind FROM payments_mockgatewayentry m
         WHERE m.succeeded AND NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.gateway_key = m.key)
           AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.gateway_key = m.key)
        """
    ):
        yield f"the gateway knows a {kind} with the key {key}, and no row does"


# What each booking kept, by the gateway's ledger (charges minus refunds, and minus what was given back by hand) and by
# the rows; in the booking's currency: what came in in another went back whole.
KEPT = """
WITH ledger AS (
    SELECT p.booking_id, p.currency,
           CASE WHEN m.succeeded THEN m.amount ELSE 0 END AS amount
      FROM payments_payment p JOIN payments_mockgatewayentry m ON m.key = p.gateway_key
    UNION ALL
    SELECT p.booking_id, p.currency,
           -CASE WHEN r.by_hand_note <> '' AND r.status = 'completed' THEN r.amount
                 WHEN m.succeeded THEN m.amount ELSE 0 END
      FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
      LEFT JOIN payments_mockgatewayentry m ON m.key = r.gateway_key
), own AS (
    SELECT booking_id, currency, amount FROM payments_payment
     WHERE status IN ('completed', 'partially_refunded', 'refunded')
    UNION ALL
    SELECT p.booking_id, p.currency, -r.amount
      FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id WHERE r.status = 'completed'
), sums AS (
    SELECT b.id, b.event_id, b.status, b.amount_due, c.currency, b.currency AS booked_in,
           COALESCE((SELECT SUM(l.amount) FROM ledger l
                      WHERE l.booking_id = b.id AND l.currency = c.currency), 0) AS ledger,
           COALESCE((SELECT SUM(o.amount) FROM own o
                      WHERE o.booking_id = b.id AND o.currency = c.currency), 0) AS own
      FROM bookings_booking b
      JOIN (SELECT id AS booking_id, currency FROM bookings_booking
            UNION SELECT booking_id, currency FROM payments_payment) c ON c.booking_id = b.id
)
"""


def bookings_keep_what_is_due(history: Chronicle) -> Iterator[str]:
    for pk, status, due, ledger, own, currency in rows(
        KEPT
        + """
        SELECT id, status, CASE WHEN currency = booked_in AND status <> 'pending' THEN amount_due ELSE 0 END,
               ledger, own, currency FROM sums
        """
    ):
        if not ledger == own == due:
            yield f"booking {pk} ({status}): the gateway kept {ledger}, the rows say {own}, {due} {currency} is due"
    for pk, kept in rows(
        """
        SELECT booking_id, COUNT(*) FROM payments_payment
         WHERE status IN ('completed', 'partially_refunded') GROUP BY booking_id HAVING COUNT(*) > 1
        """
    ):
        yield f"booking {pk} was charged {kept} times, and more than one was kept"
    for pk, status, due in rows(
        """
        SELECT b.id, b.status, b.amount_due FROM bookings_booking b
         WHERE b.status IN ('confirmed', 'no_show') AND b.total_amount > 0 AND b.waiver_reason = ''
           AND NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.booking_id = b.id
                              AND p.status IN ('completed', 'partially_refunded', 'refunded'))
        """
    ):
        yield f"booking {pk} is {status}, {due} is due, and nobody paid"


def events_keep_what_is_due(history: Chronicle) -> Iterator[str]:
    for event, ledger, own, due in rows(
        KEPT
        + """
        SELECT event_id, SUM(ledger), SUM(own),
               SUM(CASE WHEN currency = booked_in AND status <> 'pending' THEN amount_due ELSE 0 END)
          FROM sums GROUP BY event_id
        """
    ):
        if not ledger == own == due:
            yield f"event {event}: the gateway kept {ledger}, the rows say {own}, {due} is due"


def invoices_are_complete(history: Chronicle) -> Iterator[str]:
    for series, count, first, last, counted in rows(
        """
        SELECT s.id, COUNT(i.id), MIN(i.sequence), MAX(i.sequence), s.last_number
          FROM payments_invoiceseries s LEFT JOIN payments_invoice i ON i.series_id = s.id GROUP BY s.id, s.last_number
        """
    ):
        if count != counted or (count and (first, last) != (1, count)):
            yield f"series {series} counted to {counted}; it has {count} numbers from {first} to {last}"
    for number, times in rows("SELECT number, COUNT(*) FROM payments_invoice GROUP BY number HAVING COUNT(*) > 1"):
        yield f"invoice number {number} was given {times} times"
    for (pk,) in rows(
        """
        SELECT p.id FROM payments_payment p WHERE p.status IN ('completed', 'partially_refunded')
           AND NOT EXISTS (SELECT 1 FROM payments_invoice i WHERE i.payment_id = p.id AND i.kind = 'invoice')
        """
    ):
        yield f"payment {pk} was kept, and there is no invoice for it"
    for (pk,) in rows(
        """
        SELECT r.id FROM payments_refund r
          JOIN payments_invoice i ON i.payment_id = r.payment_id AND i.kind = 'invoice'
         WHERE r.status = 'completed' AND NOT EXISTS (SELECT 1 FROM payments_invoice c WHERE c.refund_id = r.id)
        """
    ):
        yield f"refund {pk} went back, and there is no credit note for it"


# --- Messages and whatever is owed ------------------------------------------------------------------------------------

OCCASIONS = {
    "booking.confirmed": "SELECT id FROM bookings_booking WHERE confirmed_at IS NOT NULL AND invited_as = ''",
    "booking.cancelled": "SELECT id FROM bookings_booking WHERE status = 'cancelled'",
    "booking.expired": "SELECT id FROM bookings_booking WHERE status = 'expired'",
    "payment.failed": "SELECT id FROM payments_payment WHERE status = 'failed'",
    "refund.completed": "SELECT id FROM payments_refund WHERE status = 'completed'",
    "invoice.issued": "SELECT id FROM payments_invoice",
    "waitlist.offered": "SELECT id FROM bookings_waitlist WHERE status IN ('offered', 'accepted', 'declined')",
}


def everybody_was_told(history: Chronicle) -> Iterator[str]:
    """There is one message for each occasion. (That each was mailed, the mail server tells: see :mod:`sink`.)"""
    for occasion, sql in OCCASIONS.items():
        missing = rows(
            f"SELECT o.id FROM ({sql}) o WHERE NOT EXISTS (SELECT 1 FROM notifications_notification n"
            f" WHERE n.dedupe_key = '{occasion}:' || o.id)"
        )
        if missing:
            yield f"nobody was told of {len(missing)} times {occasion}, such as {[pk for (pk,) in missing[:5]]}"
    for key, times in rows(
        "SELECT dedupe_key, COUNT(*) FROM notifications_notification GROUP BY dedupe_key HAVING COUNT(*) > 1"
    ):
        yield f"{times} messages are about {key}"


STUCK = {
    "holds": "SELECT id FROM bookings_booking WHERE status = 'pending'",
    "offers": "SELECT id FROM bookings_waitlist WHERE status = 'offered'",
    "payments": "SELECT id FROM payments_payment WHERE status IN ('pending', 'processing')",
    "refunds": "SELECT id FROM payments_refund WHERE status IN ('requested', 'processing')",
    "invoices": "SELECT id FROM payments_invoicerequest WHERE invoice_id IS NULL",
    "callbacks": "SELECT id FROM payments_gatewaycallback WHERE processed_at IS NULL",
    "messages of the gateway": "SELECT id FROM payments_mockgatewaymessage WHERE delivered_at IS NULL",
    "mails": "SELECT id FROM notifications_notification WHERE status <> 'sent'",
    "claims of payments": "SELECT id FROM payments_payment WHERE claimed_until IS NOT NULL",
    "claims of refunds": "SELECT id FROM payments_refund WHERE claimed_until IS NOT NULL",
    "payments given up": "SELECT id FROM payments_payment WHERE parked_at IS NOT NULL",
    "refunds given up": "SELECT id FROM payments_refund WHERE parked_at IS NOT NULL AND by_hand_note = ''",
    "invoices given up": "SELECT id FROM payments_invoicerequest WHERE parked_at IS NOT NULL",
    "news of moved events": "SELECT id FROM bookings_booking WHERE move_notice_owed_since IS NOT NULL",
}


def nothing_is_stuck(history: Chronicle) -> Iterator[str]:
    for what, found in stuck().items():
        yield f"{len(found)} {what}, such as {found[:5]}"


def stuck() -> dict[str, list[int]]:
    """Return what is not at rest, by what it is."""
    found = {what: [pk for (pk,) in rows(f"{sql} ORDER BY id")] for what, sql in STUCK.items()}
    return {what: pks for what, pks in found.items() if pks}
