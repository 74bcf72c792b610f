"""A second pair of eyes on the books: the main promises, asked in plain SQL, with none of Event Hub's own code.

``check_integrity`` shares the models, and so perhaps an error, with the services that it watches. These statements
share nothing but the tables. They run on PostgreSQL and SQLite alike, on anything that has a ``cursor()``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

# SQLite adds decimals as floats; the smallest unit of any currency is 0.001.
LESS_THAN_A_MILL = "0.0005"

# Who sits where: a ticket that counts is one seat, an offer holds the seats of its party.
SEATS = """
    SELECT b.event_id AS event_id, t.ticket_type_id AS ticket_type_id, 1 AS seats
    FROM bookings_ticket t JOIN bookings_booking b ON b.id = t.booking_id
    WHERE t.status <> 'cancelled' AND b.status IN ('pending', 'confirmed', 'no_show')
    UNION ALL
    SELECT w.event_id, w.ticket_type_id, w.seats FROM bookings_waitlist w WHERE w.status = 'offered'
"""

# What the mock gateway took and gave back for each of its charges, by its own books alone.
LEDGER = """
    SELECT c.key AS key, c.reference AS reference, c.amount AS taken, COALESCE(SUM(r.amount), 0) AS returned
    FROM payments_mockgatewayentry c
    LEFT JOIN payments_mockgatewayentry r
      ON r.kind = 'refund' AND r.succeeded IS TRUE AND r.charge_reference = c.reference
    WHERE c.kind = 'charge' AND c.succeeded IS TRUE
    GROUP BY c.key, c.reference, c.amount
"""

# What is kept for each booking: by the gateway's books where it is the mock's, by our rows where people took the money,
# and less what people gave back past the gateway.
KEPT = f"""
    SELECT booking_id, SUM(amount) AS amount FROM (
        SELECT p.booking_id AS booking_id, l.taken - l.returned AS amount
        FROM ({LEDGER}) l JOIN payments_payment p ON p.gateway_key = l.key
        UNION ALL
        SELECT p.booking_id, p.amount FROM payments_payment p
        WHERE p.gateway <> 'mock' AND p.status IN ('completed', 'partially_refunded', 'refunded')
        UNION ALL
        SELECT p.booking_id, -r.amount FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        WHERE r.status = 'completed' AND (p.gateway <> 'mock' OR r.by_hand_note <> '')
    ) moved GROUP BY booking_id
"""

# Where each state's history has to end. Tickets and messages leave no row for being made.
STATES = " UNION ALL ".join(
    f"SELECT '{label}' AS label, id, status, '{unmoved}' AS unmoved FROM {table}"
    for label, table, unmoved in [
        ("events.event", "events_event", ""),
        ("bookings.booking", "bookings_booking", ""),
        ("bookings.ticket", "bookings_ticket", "valid"),
        ("bookings.waitlist", "bookings_waitlist", ""),
        ("payments.payment", "payments_payment", ""),
        ("payments.refund", "payments_refund", ""),
    ]
)

# Each is about one thing that happens once, so it is told once.
ONCE_IN_A_LIFE = """
    'booking_placed', 'booking_confirmed', 'booking_cancelled', 'booking_expired', 'booking_given', 'waitlist_joined',
    'seat_offered', 'offer_lapsed', 'waitlist_closed', 'payment_failed', 'refund_completed', 'invoice_issued'
"""


@dataclass(frozen=True)
class Line:
    """One promise; the statement returns a row (subject, detail, ...) for each time that it is broken.

    ``at_rest``: true only once nothing is on its way any more.
    """

    name: str
    sql: str
    at_rest: bool = False


LINES = [
    # --- Seats --------------------------------------------------------------------------------------------------------
    Line(
        "oversold_event",
        f"""SELECT e.id, SUM(s.seats), e.capacity FROM ({SEATS}) s JOIN events_event e ON e.id = s.event_id
            GROUP BY e.id, e.capacity HAVING SUM(s.seats) > e.capacity""",
    ),
    Line(
        "oversold_type",
        f"""SELECT k.id, SUM(s.seats), k.quantity FROM ({SEATS}) s JOIN events_tickettype k ON k.id = s.ticket_type_id
            GROUP BY k.id, k.quantity HAVING SUM(s.seats) > k.quantity""",
    ),
    Line(
        "event_counter",
        f"""SELECT e.id, e.seats_taken, COALESCE(SUM(s.seats), 0)
            FROM events_event e LEFT JOIN ({SEATS}) s ON s.event_id = e.id
            GROUP BY e.id, e.seats_taken HAVING e.seats_taken <> COALESCE(SUM(s.seats), 0)""",
    ),
    Line(
        "type_counter",
        f"""SELECT k.id, k.seats_taken, COALESCE(SUM(s.seats), 0)
            FROM events_tickettype k LEFT JOIN ({SEATS}) s ON s.ticket_type_id = k.id
            GROUP BY k.id, k.seats_taken HAVING k.seats_taken <> COALESCE(SUM(s.seats), 0)""",
    ),
    Line(
        "seats_of_booking",
        """SELECT b.id, b.seats, COUNT(t.id) FROM bookings_booking b LEFT JOIN bookings_ticket t ON t.booking_id = b.id
           GROUP BY b.id, b.seats HAVING COUNT(t.id) <> b.seats""",
    ),
    Line(
        "tickets_of_cancelled",
        """SELECT b.id, COUNT(t.id) FROM bookings_booking b JOIN bookings_ticket t ON t.booking_id = b.id
           WHERE b.status = 'cancelled' AND t.status <> 'cancelled' GROUP BY b.id""",
    ),
    Line(
        "booked_twice",
        """SELECT user_id, event_id, COUNT(*) FROM bookings_booking
           WHERE status IN ('pending', 'confirmed', 'no_show') GROUP BY user_id, event_id HAVING COUNT(*) > 1""",
    ),
    Line(
        "seats_released_twice",
        """SELECT subject_type, subject_id, COUNT(*) FROM shared_statuschange
           WHERE subject_type = 'bookings.booking' AND to_status = 'cancelled'
           GROUP BY subject_type, subject_id HAVING COUNT(*) > 1""",
    ),
    # --- Money --------------------------------------------------------------------------------------------------------
    Line(
        "money_of_booking",
        f"""SELECT b.id, b.status, b.amount_due, COALESCE(k.amount, 0)
            FROM bookings_booking b LEFT JOIN ({KEPT}) k ON k.booking_id = b.id
            WHERE b.status <> 'pending'
              AND ABS(b.amount_due - COALESCE(k.amount, 0)) > {LESS_THAN_A_MILL}""",
        at_rest=True,
    ),
    Line(
        "money_of_pending",
        f"""SELECT b.id, k.amount FROM bookings_booking b JOIN ({KEPT}) k ON k.booking_id = b.id
            WHERE b.status = 'pending' AND ABS(k.amount) > {LESS_THAN_A_MILL}""",
        at_rest=True,
    ),
    Line(
        "money_of_event",
        f"""SELECT b.event_id, b.currency, SUM(b.amount_due), SUM(COALESCE(k.amount, 0))
            FROM bookings_booking b LEFT JOIN ({KEPT}) k ON k.booking_id = b.id
            WHERE b.status <> 'pending' GROUP BY b.event_id, b.currency
            HAVING ABS(SUM(b.amount_due) - SUM(COALESCE(k.amount, 0))) > {LESS_THAN_A_MILL}""",
        at_rest=True,
    ),
    Line(
        "money_of_rows",
        f"""SELECT b.id, b.status, b.amount_due, COALESCE(SUM(p.amount - p.back), 0)
            FROM bookings_booking b LEFT JOIN (
                SELECT p.booking_id AS booking_id, p.amount AS amount, COALESCE(SUM(r.amount), 0) AS back
                FROM payments_payment p
                LEFT JOIN payments_refund r ON r.payment_id = p.id AND r.status <> 'failed'
                WHERE p.status IN ('completed', 'partially_refunded', 'refunded')
                GROUP BY p.id, p.booking_id, p.amount
            ) p ON p.booking_id = b.id
            WHERE b.status <> 'pending'
            GROUP BY b.id, b.status, b.amount_due
            HAVING ABS(b.amount_due - COALESCE(SUM(p.amount - p.back), 0)) > {LESS_THAN_A_MILL}""",
    ),
    Line(
        "kept_two_charges",
        f"""SELECT p.booking_id, COUNT(*) FROM ({LEDGER}) l JOIN payments_payment p ON p.gateway_key = l.key
            WHERE l.taken - l.returned > {LESS_THAN_A_MILL} GROUP BY p.booking_id HAVING COUNT(*) > 1""",
        at_rest=True,
    ),
    Line(
        "gave_back_more_than_taken",
        f"""SELECT l.key, l.taken, l.returned FROM ({LEDGER}) l WHERE l.returned - l.taken > {LESS_THAN_A_MILL}""",
    ),
    Line(
        "refunded_more_than_paid",
        f"""SELECT p.id, p.amount, SUM(r.amount) FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
            WHERE r.status <> 'failed' GROUP BY p.id, p.amount
            HAVING SUM(r.amount) - p.amount > {LESS_THAN_A_MILL}""",
    ),
    Line(
        "charge_of_nobody",
        """SELECT c.key, c.amount FROM payments_mockgatewayentry c
           LEFT JOIN payments_payment p ON p.gateway_key = c.key AND p.gateway = 'mock'
           WHERE c.kind = 'charge' AND p.id IS NULL""",
    ),
    Line(
        "charge_not_recorded",
        """SELECT c.key, p.id, p.status FROM payments_mockgatewayentry c
           JOIN payments_payment p ON p.gateway_key = c.key
           WHERE c.kind = 'charge' AND c.succeeded IS TRUE
             AND p.status NOT IN ('completed', 'partially_refunded', 'refunded')""",
        at_rest=True,
    ),
    Line(
        "payment_never_taken",
        f"""SELECT p.id, p.status, p.amount, c.amount FROM payments_payment p
            LEFT JOIN payments_mockgatewayentry c ON c.key = p.gateway_key AND c.kind = 'charge' AND c.succeeded IS TRUE
            WHERE p.gateway = 'mock' AND p.status IN ('completed', 'partially_refunded', 'refunded')
              AND (c.id IS NULL OR c.currency <> p.currency OR ABS(c.amount - p.amount) > {LESS_THAN_A_MILL})""",
    ),
    Line(
        "refund_of_nobody",
        f"""SELECT e.key, e.amount FROM payments_mockgatewayentry e
            LEFT JOIN payments_refund r ON r.gateway_key = e.key
            WHERE e.kind = 'refund' AND e.succeeded IS TRUE
              AND (r.id IS NULL OR ABS(r.amount - e.amount) > {LESS_THAN_A_MILL})""",
    ),
    Line(
        "refund_not_recorded",
        """SELECT e.key, r.id, r.status FROM payments_mockgatewayentry e JOIN payments_refund r ON r.gateway_key = e.key
           WHERE e.kind = 'refund' AND e.succeeded IS TRUE AND (r.status <> 'completed' OR r.by_hand_note <> '')""",
        at_rest=True,
    ),
    Line(
        "refund_never_given",
        """SELECT r.id, r.amount FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
           LEFT JOIN payments_mockgatewayentry e
             ON e.key = r.gateway_key AND e.kind = 'refund' AND e.succeeded IS TRUE
           WHERE p.gateway = 'mock' AND r.status = 'completed' AND r.by_hand_note = '' AND e.id IS NULL""",
    ),
    Line(
        "refunded_amount",
        f"""SELECT p.id, p.refunded_amount, COALESCE(SUM(r.amount), 0) FROM payments_payment p
            LEFT JOIN payments_refund r ON r.payment_id = p.id AND r.status = 'completed'
            GROUP BY p.id, p.refunded_amount
            HAVING ABS(p.refunded_amount - COALESCE(SUM(r.amount), 0)) > {LESS_THAN_A_MILL}""",
    ),
    Line(
        "two_open_payments",
        """SELECT booking_id, COUNT(*) FROM payments_payment WHERE status IN ('pending', 'processing')
           GROUP BY booking_id HAVING COUNT(*) > 1""",
    ),
    # --- Invoices -----------------------------------------------------------------------------------------------------
    Line(
        "invoice_gaps",
        """SELECT s.id, s.last_number, COUNT(i.id), MIN(i.sequence), MAX(i.sequence)
           FROM payments_invoiceseries s LEFT JOIN payments_invoice i ON i.series_id = s.id
           GROUP BY s.id, s.last_number
           HAVING COUNT(i.id) <> s.last_number OR COALESCE(MAX(i.sequence), 0) <> s.last_number
               OR COALESCE(MIN(i.sequence), 1) <> 1""",
    ),
    Line("invoice_number_twice", "SELECT number, COUNT(*) FROM payments_invoice GROUP BY number HAVING COUNT(*) > 1"),
    Line(
        "invoice_of_payment_twice",
        """SELECT payment_id, COUNT(*) FROM payments_invoice WHERE kind = 'invoice'
           GROUP BY payment_id HAVING COUNT(*) > 1""",
    ),
    Line(
        "invoice_missing",
        f"""SELECT p.id, p.amount, COALESCE(SUM(r.amount), 0) FROM payments_payment p
            LEFT JOIN payments_invoice i ON i.payment_id = p.id AND i.kind = 'invoice'
            LEFT JOIN payments_refund r ON r.payment_id = p.id AND r.status <> 'failed'
            WHERE p.status IN ('completed', 'partially_refunded', 'refunded') AND i.id IS NULL
            GROUP BY p.id, p.amount HAVING p.amount - COALESCE(SUM(r.amount), 0) > {LESS_THAN_A_MILL}""",
        at_rest=True,
    ),
    Line(
        "credit_note_missing",
        """SELECT r.id, r.amount FROM payments_refund r
           JOIN payments_invoice i ON i.payment_id = r.payment_id AND i.kind = 'invoice'
           LEFT JOIN payments_invoice n ON n.refund_id = r.id
           WHERE r.status = 'completed' AND n.id IS NULL""",
        at_rest=True,
    ),
    Line(
        "credited_more_than_invoiced",
        f"""SELECT i.id, i.total, SUM(n.total) FROM payments_invoice i JOIN payments_invoice n ON n.corrects_id = i.id
            GROUP BY i.id, i.total HAVING -SUM(n.total) - i.total > {LESS_THAN_A_MILL}""",
    ),
    # --- Messages -----------------------------------------------------------------------------------------------------
    Line(
        "told_twice",
        f"""SELECT user_id, kind, CAST(data AS TEXT), COUNT(*) FROM notifications_notification
            WHERE kind IN ({ONCE_IN_A_LIFE})
            GROUP BY user_id, kind, CAST(data AS TEXT) HAVING COUNT(*) > 1""",
    ),
    Line(
        "occasion_twice",
        """SELECT dedupe_key, COUNT(*) FROM notifications_notification GROUP BY dedupe_key HAVING COUNT(*) > 1""",
    ),
    Line(
        "refund_not_told",
        """SELECT r.id FROM payments_refund r
           LEFT JOIN notifications_notification n ON n.dedupe_key = 'refund.completed:' || CAST(r.id AS TEXT)
           WHERE r.status = 'completed' AND n.id IS NULL""",
        at_rest=True,
    ),
    # --- What stays behind --------------------------------------------------------------------------------------------
    Line(
        "history_elsewhere",
        f"""SELECT s.label, s.id, s.status, c.to_status FROM ({STATES}) s
            LEFT JOIN (SELECT subject_type, subject_id, MAX(id) AS id FROM shared_statuschange
                       GROUP BY subject_type, subject_id) last ON last.subject_type = s.label AND last.subject_id = s.id
            LEFT JOIN shared_statuschange c ON c.id = last.id
            WHERE COALESCE(c.to_status, s.unmoved) <> s.status""",
    ),
    Line(
        "stuck_payment",
        "SELECT id, status, last_error FROM payments_payment WHERE status IN ('pending', 'processing')",
        at_rest=True,
    ),
    Line(
        "stuck_refund",
        """SELECT r.id, r.status, r.last_error FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
           WHERE r.status IN ('requested', 'processing') AND p.gateway <> 'by_hand'""",
        at_rest=True,
    ),
    Line(
        "stuck_message",
        "SELECT id, kind, status, last_error FROM notifications_notification WHERE status IN ('unsent', 'sending')",
        at_rest=True,
    ),
    Line(
        "stuck_invoice",
        "SELECT id, kind, payment_id, last_error FROM payments_invoicerequest WHERE invoice_id IS NULL",
        at_rest=True,
    ),
    Line(
        "stuck_callback",
        "SELECT id, type, key, last_error FROM payments_gatewaycallback WHERE processed_at IS NULL",
        at_rest=True,
    ),
    Line(
        "undecided_at_the_gateway",
        "SELECT key, kind, settles_at FROM payments_mockgatewayentry WHERE succeeded IS NULL",
        at_rest=True,
    ),
]


class Connection(Protocol):
    def cursor(self) -> Any: ...


def audit(connection: Connection, *, at_rest: bool = True, but: Iterable[str] = ()) -> list[str]:
    """Return what is wrong in the books, a line each.

    ``at_rest``: nothing is on its way any more, so that nothing may be open or owed either. ``but``: names of lines
    that are not asked.
    """
    passed_over = set(but)
    assert passed_over <= {line.name for line in LINES}, passed_over
    found = []
    for line in LINES:
        if line.name not in passed_over and (at_rest or not line.at_rest):
            found += [f"{line.name}: {' | '.join(str(value) for value in row)}" for row in _rows(connection, line.sql)]
    return found


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return list(cursor.fetchall())
    finally:
        cursor.close()
