"""Corruptions to plant in a sound world: each is a generator that makes what it needs, yields, and then breaks it.

``found_by`` is the one check of ``check_integrity`` that has to notice (``also``: others that cannot but notice too),
``audited`` the lines of the audit in plain SQL that have to. What the database itself would refuse is planted past its
constraints and triggers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import CheckConstraint, F, Model, UniqueConstraint

from bookings.models import Booking, Scan, Ticket, Waitlist
from bookings.services import accept_offer, cancel_booking, check_in
from bookings.services.door import ScanRequest
from bookings.tests.factories import a_booking
from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.tests.pictures import picture
from eventhub_config.tests.world import World, issue_all, pay
from events.models import Event, EventSearch, EventSlug, Session, TicketType
from events.services.covers import set_cover
from events.tests.factories import an_event
from notifications.models import Notification
from payments.models import (
    GatewayCallback,
    Invoice,
    InvoiceDocument,
    InvoiceRequest,
    InvoiceSeries,
    MockGatewayEntry,
    Payment,
    Refund,
)
from payments.services import process_payment, send_refund, start_payment
from users.models import CustomUser, PasswordResetRequest, UserProfile
from users.services import set_avatar
from users.tests.factories import a_link, a_session, a_user

Steps = Iterator[None]


@dataclass(frozen=True)
class Plant:
    """One corruption: how it is made, and who has to find it."""

    make: Callable[[World], Steps]
    found_by: str
    audited: frozenset[str]
    also: frozenset[str]
    needs_postgresql: bool

    def __str__(self) -> str:
        return f"{self.found_by}-{self.make.__name__}"


PLANTS: list[Plant] = []


def planted(
    found_by: str, *audited: str, also: Iterable[str] = (), needs_postgresql: bool = False
) -> Callable[[Callable[[World], Steps]], Callable[[World], Steps]]:
    def register(make: Callable[[World], Steps]) -> Callable[[World], Steps]:
        PLANTS.append(Plant(make, found_by, frozenset(audited), frozenset(also), needs_postgresql))
        return make

    return register


# --- Past the database's own guards. All of it is undone with the test's transaction ----------------------------------


def lift(model: type[Model], name: str) -> None:
    """Take a constraint away. One that SQLite has written into the table cannot be taken: ``needs_postgresql``."""
    table, quote = model._meta.db_table, connection.ops.quote_name
    constraint = next(item for item in model._meta.constraints if item.name == name)
    is_index = isinstance(constraint, UniqueConstraint) and constraint.condition is not None
    if connection.vendor == "sqlite" and isinstance(constraint, CheckConstraint):
        _run("PRAGMA ignore_check_constraints = ON")
    elif is_index:
        _run(f"DROP INDEX {quote(name)}")
    else:
        _run(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}")


def lift_unique(model: type[Model], column: str) -> None:
    """Take a column's own uniqueness away; on PostgreSQL only."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
    for name, about in constraints.items():
        if about["unique"] and about["columns"] == [column]:
            _run(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {name}")


def unguard(model: type[Model]) -> None:
    """Take the trigger away that refuses changes of what was issued."""
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        _run(f"DROP TRIGGER {table}_stays")
    else:
        _run(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def guards_of_sqlite_on() -> None:
    if connection.vendor == "sqlite":
        _run("PRAGMA ignore_check_constraints = OFF")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks pending cannot be altered
        cursor.execute(sql)


def change(row: Model, **values: Any) -> None:
    """Write columns of a row past everything that watches over them."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def copy(row: Model, **values: Any) -> None:
    """Write a second row like this one, past its own ``save``."""
    row.pk = None
    for name, value in values.items():
        setattr(row, name, value)
    Model.save(row, force_insert=True)


# --- What plants need besides the world -------------------------------------------------------------------------------


def _paid(world: World, price: str = "30.00") -> Payment:
    """Return another paid booking's payment, with its invoice."""
    payment = pay(a_booking(organizer=world.people["organizer"], price=price, now=world.now))
    issue_all(world.now)
    return payment


def _declined(world: World) -> Payment:
    """Return a payment that its gateway declined."""
    booking = a_booking(organizer=world.people["organizer"], price="8.00", now=world.now)
    payment = start_payment(user=booking.user, booking_id=booking.pk, token="tok_decline", now=world.now)
    process_payment(payment_id=payment.pk, now=world.now)
    payment.refresh_from_db()
    return payment


def _part_refunded(world: World) -> Refund:
    """Return a refund of a part of a payment whose booking was cancelled, with its credit note."""
    policy: dict[str, Any] = {"refund_policy": "partial", "refund_percent": 40}
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", tax_rate=19, now=world.now, **policy))
    issue_all(world.now)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    refund = Refund.objects.get(payment=payment)
    send_refund(refund_id=refund.pk, now=world.now)
    issue_all(world.now)
    refund.refresh_from_db()
    return refund


def _let_in(world: World) -> Ticket:
    ticket = Ticket.objects.get(booking=a_booking(event=world.objects["free_event"], now=world.now))
    event = world.objects["free_event"]
    check_in(event_id=event.pk, scan=ScanRequest(ticket.code, "1"), actor=world.people["organizer"], now=world.now)
    return ticket


def _with_avatar(world: World) -> UserProfile:
    owner = world.people["owner"]
    set_avatar(user_id=owner.pk, content=picture(), actor=owner, now=world.now)
    return UserProfile.objects.get(user=owner)


def _callback(world: World, **values: Any) -> GatewayCallback:
    common = {"gateway": "mock", "event_id": "ev_1", "type": "charge.succeeded", "payload": {}}
    return GatewayCallback.objects.create(**common | {"received_at": world.now} | values)


def _before(world: World, **ago: float) -> datetime:
    return world.now - timedelta(**ago)


# --- The floor --------------------------------------------------------------------------------------------------------


@planted("history_moves", "seats_released_twice")
def a_move_that_there_is_not(world: World) -> Steps:
    """Ended, and begun again as if nothing had been: only the table of moves can tell."""
    booking = world.objects["cancelled_booking"]
    yield
    for before, after in (("cancelled", "confirmed"), ("confirmed", "cancelled")):
        StatusChange.objects.create(
            subject_type="bookings.booking",
            subject_id=booking.pk,
            from_status=before,
            to_status=after,
            actor="system:nobody",
            at=world.now,
        )


@planted("history_complete", "history_elsewhere")
def a_state_past_its_history(world: World) -> Steps:
    yield
    change(world.objects["draft"], status="cancelled")


@planted("history_complete", "history_elsewhere")
def a_row_without_a_history(world: World) -> Steps:
    yield
    StatusChange.objects.filter(subject_type="events.event", subject_id=world.pk("draft")).delete()


@planted("history_unbroken")
def a_move_that_is_missing(world: World) -> Steps:
    yield
    moves = StatusChange.objects.filter(subject_type="payments.payment", subject_id=world.pk("payment"))
    moves.filter(to_status="processing").delete()


@planted("history_unbroken")
def a_beginning_that_is_missing(world: World) -> Steps:
    yield
    StatusChange.objects.filter(
        subject_type="payments.payment", subject_id=world.pk("payment"), from_status=""
    ).delete()


@planted("work_done")
def a_message_that_nobody_sends(world: World) -> Steps:
    yield
    change(world.objects["notification"], next_attempt_at=_before(world, minutes=31))


@planted("work_done")
def a_claim_that_never_ends(world: World) -> Steps:
    yield
    change(world.objects["notification"], claimed_until=world.now + timedelta(days=9))


@planted("image_files")
def a_picture_without_its_file(world: World) -> Steps:
    avatar = _with_avatar(world).avatar_id
    yield
    default_storage.delete(f"images/{avatar}/master.webp")


@planted("image_use")
def a_picture_that_nobody_uses(world: World) -> Steps:
    yield
    long_ago = _before(world, days=900)
    StoredImage.objects.create(key="OLD", purpose="avatar", uploaded_by=1, width=1, height=1, created_at=long_ago)


# --- Users ------------------------------------------------------------------------------------------------------------


@planted("user_flags")
def somebody_made_staff_past_their_role(world: World) -> Steps:
    yield
    lift(CustomUser, "users_flags_follow_user_type")
    change(world.people["stranger"], is_staff=True)


@planted("user_groups")
def an_attendee_among_the_organizers(world: World) -> Steps:
    yield
    world.people["stranger"].groups.add(Group.objects.get(name="organizers"))


@planted("user_belongings")
def somebody_without_a_profile(world: World) -> Steps:
    yield
    UserProfile.objects.filter(user=world.people["stranger"]).delete()


@planted("user_keys")
def somebody_renamed_past_the_services(world: World) -> Steps:
    yield
    change(world.people["stranger"], username="renamed")


@planted("user_sessions")
def a_session_that_ended_without_a_reason(world: World) -> Steps:
    session = a_session()
    yield
    change(session, revoked_at=world.now)


@planted("user_links")
def a_link_that_ended_before_it_was_made(world: World) -> Steps:
    link = a_link(a_user(), "verify_email", now=world.now)
    yield
    change(link, expires_at=F("created_at"))


@planted("user_mails")
def a_mail_about_an_account_that_was_given_up(world: World) -> Steps:
    yield
    PasswordResetRequest.objects.create(login="x", created_at=world.now, parked_at=world.now)


@planted("avatars")
def an_avatar_that_is_a_cover(world: World) -> Steps:
    avatar = _with_avatar(world).avatar_id
    yield
    StoredImage.objects.filter(pk=avatar).update(purpose="cover")


# --- Events -----------------------------------------------------------------------------------------------------------


@planted("not_oversold", "oversold_event")
def an_event_with_more_people_than_room(world: World) -> Steps:
    event = an_event(capacity=2, now=world.now)
    for _ in range(2):
        a_booking(event=event, now=world.now)
    yield
    lift(Event, "events_event_not_oversold")
    change(event, capacity=1)


@planted("not_oversold", "oversold_type")
def a_ticket_type_sold_beyond_its_quantity(world: World) -> Steps:
    event = an_event(now=world.now)
    for _ in range(2):
        a_booking(event=event, now=world.now)
    yield
    lift(TicketType, "events_type_not_oversold")
    TicketType.objects.filter(event=event).update(quantity=1)


@planted("search")
def an_event_that_is_not_found(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).delete()


@planted("search")
def an_event_found_by_other_words(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).update(words=" something else ")


@planted("search")
def words_that_nobody_writes_anew(world: World) -> Steps:
    yield
    EventSearch.objects.filter(event=world.objects["event"]).update(stale_since=_before(world, minutes=6))


@planted("lowest_price")
def a_price_past_the_services(world: World) -> Steps:
    yield
    change(world.objects["ticket_type"], price=Decimal(7))


@planted("programme")
def a_session_after_its_event(world: World) -> Steps:
    yield
    change(world.objects["session"], ends_at=F("ends_at") + timedelta(days=1))


@planted("programme")
def two_sessions_in_one_room(world: World) -> Steps:
    yield
    Session.objects.filter(pk=world.pk("session")).update(room="Hall")
    copy(Session.objects.get(pk=world.pk("session")))


@planted("slugs")
def a_slug_that_leads_nowhere(world: World) -> Steps:
    yield
    EventSlug.objects.filter(event=world.objects["event"]).delete()


@planted("visibility")
def a_draft_that_everybody_sees(world: World) -> Steps:
    yield
    lift(Event, "events_event_draft_is_hidden")
    change(world.objects["draft"], published_at=world.now)


@planted("covers")
def a_cover_that_is_an_avatar(world: World) -> Steps:
    event, organizer = world.objects["event"], world.people["organizer"]
    set_cover(event_id=event.pk, content=picture(), uploaded_by=organizer.pk, actor=organizer, now=world.now)
    yield
    StoredImage.objects.update(purpose="avatar")


@planted("events_move_on")
def an_event_that_never_begins(world: World) -> Steps:
    yield
    began = _before(world, minutes=6)
    Event.objects.filter(pk=world.pk("free_event")).update(
        starts_at=began, updated_at=began, status_changed_at=began, registration_deadline=None
    )


# --- Bookings ---------------------------------------------------------------------------------------------------------


@planted("seat_counters", "event_counter")
def seats_that_nobody_has(world: World) -> Steps:
    yield
    change(world.objects["event"], seats_taken=F("seats_taken") + 1)


@planted("seat_counters", "type_counter")
def a_seat_given_back_twice(world: World) -> Steps:
    yield
    change(world.objects["ticket_type"], seats_taken=F("seats_taken") - 1)


@planted("seat_counters", "event_counter", "type_counter", "oversold_event")
def an_offer_that_holds_more_than_was_counted(world: World) -> Steps:
    yield
    change(world.objects["offer"], seats=F("seats") + 1)


@planted("booking_tickets", "seats_of_booking")
def a_booking_with_a_seat_too_many(world: World) -> Steps:
    yield
    change(world.objects["booking"], seats=2)


@planted("booking_tickets", "tickets_of_cancelled")
def a_ticket_that_outlived_its_booking(world: World) -> Steps:
    yield
    ticket = Ticket.objects.get(booking=world.objects["cancelled_booking"])
    change(ticket, status="valid")
    StatusChange.objects.filter(subject_type="bookings.ticket", subject_id=ticket.pk).delete()


@planted("ticket_event")
def a_ticket_for_another_event(world: World) -> Steps:
    yield
    change(world.objects["ticket"], event=world.objects["free_event"])


@planted("one_active_booking", "booked_twice")
def somebody_who_booked_twice(world: World) -> Steps:
    one, other = (a_booking(event=world.objects["free_event"], now=world.now) for _ in range(2))
    yield
    lift(Booking, "bookings_one_active_per_event")
    change(other, user=one.user)


@planted("booking_amounts")
def a_booking_that_costs_more_than_its_tickets(world: World) -> Steps:
    yield
    change(world.objects["booking"], total_amount=F("total_amount") + 1)


@planted("booking_amounts")
def a_pending_booking_of_which_a_part_is_due(world: World) -> Steps:
    yield
    change(world.objects["unpaid_booking"], amount_due=Decimal(1))


@planted("booking_moments")
def a_cancellation_at_no_time(world: World) -> Steps:
    yield
    change(world.objects["cancelled_booking"], cancelled_at=None)


@planted("booking_moments")
def a_place_that_waits_and_was_offered(world: World) -> Steps:
    yield
    change(world.objects["place"], offered_at=world.now)


@planted("bookings_move_on")
def a_hold_that_outlived_its_time(world: World) -> Steps:
    yield
    change(world.objects["unpaid_booking"], expires_at=_before(world, minutes=6))


@planted("bookings_move_on")
def a_booking_that_outlived_its_event(world: World) -> Steps:
    """Cancelled as services would, but for the closing of its bookings."""
    booking = a_booking(event=an_event(now=world.now), now=world.now)
    yield
    change(booking.event, status="cancelled", status_changed_at=_before(world, minutes=6))
    StatusChange.objects.create(
        subject_type="events.event",
        subject_id=booking.event_id,
        from_status="published",
        to_status="cancelled",
        actor="system:test",
        at=world.now,
    )


@planted("bookings_move_on")
def news_of_a_move_that_nobody_told(world: World) -> Steps:
    yield
    change(world.objects["booking"], move_notice_owed_since=_before(world, minutes=6))


@planted("waiting_counts")
def one_more_who_waits(world: World) -> Steps:
    yield
    change(world.objects["place"].ticket_type, waiting_count=F("waiting_count") + 1)


@planted("waitlist_event")
def a_place_for_another_event(world: World) -> Steps:
    yield
    change(world.objects["place"], event=world.objects["free_event"])


@planted("waitlist_bookings")
def an_offer_accepted_by_somebody_else(world: World) -> Steps:
    entry = world.objects["offer"]
    accept_offer(entry_id=entry.pk, actor=entry.user, now=world.now)
    yield
    change(entry, user=world.people["stranger"])


@planted("waitlist_moves_on")
def an_offer_that_outlived_its_time(world: World) -> Steps:
    yield
    change(world.objects["offer"], offer_expires_at=_before(world, minutes=6))


@planted("waitlist_served")
def a_seat_that_lies_idle(world: World) -> Steps:
    """There is room for the whole party in front, and has been for some minutes."""
    yield
    long_ago = _before(world, minutes=6)
    Waitlist.objects.filter(event=world.objects["full_event"]).update(status_changed_at=long_ago)
    change(world.objects["full_event"], capacity=9, updated_at=long_ago, status_changed_at=long_ago)


@planted("waiver_reason")
def a_gift_without_a_reason(world: World) -> Steps:
    booking = a_booking(event=world.objects["free_event"], now=world.now)
    yield
    change(booking, invited_as="Kim")


@planted("free_is_confirmed")
def a_free_booking_that_is_pending(world: World) -> Steps:
    booking = a_booking(event=world.objects["free_event"], now=world.now)
    yield
    change(booking, status="pending", confirmed_at=None, expires_at=world.now + timedelta(hours=1))
    StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk).update(to_status="pending")


@planted("check_ins")
def somebody_who_came_at_no_time(world: World) -> Steps:
    ticket = _let_in(world)
    yield
    change(ticket, checked_in_at=None)


@planted("no_shows")
def somebody_who_came_and_did_not(world: World) -> Steps:
    ticket = _let_in(world)
    yield
    change(ticket.booking, status="no_show")
    StatusChange.objects.create(
        subject_type="bookings.booking",
        subject_id=ticket.booking_id,
        from_status="confirmed",
        to_status="no_show",
        actor="system:test",
        at=world.now,
    )


@planted("scans")
def a_scan_at_another_door(world: World) -> Steps:
    _let_in(world)
    yield
    Scan.objects.update(event=world.objects["event"])


# --- Money ------------------------------------------------------------------------------------------------------------


@planted("money_kept", "money_of_booking", "money_of_event", "money_of_rows")
def a_confirmed_booking_that_owes_less_than_was_paid(world: World) -> Steps:
    yield
    change(world.objects["booking"], amount_due=F("amount_due") - Decimal("0.01"))


@planted("money_kept", "money_of_pending")
def money_for_a_booking_that_is_still_pending(world: World) -> Steps:
    payment = _paid(world)
    yield
    booking = Booking.objects.get(pk=payment.booking_id)
    change(booking, status="pending", confirmed_at=None, expires_at=world.now + timedelta(hours=1))
    moves = StatusChange.objects.filter(subject_type="bookings.booking", subject_id=booking.pk)
    moves.filter(to_status="confirmed").delete()


@planted(
    "refunds_within_payments",
    *("refunded_more_than_paid", "money_of_booking", "money_of_event", "money_of_rows", "stuck_refund"),
    also=["money_kept"],
)
def refunds_beyond_their_payment(world: World) -> Steps:
    payment = world.objects["payment"]
    yield
    change(world.objects["booking"], amount_due=Decimal(0), waiver_reason="Goodwill")
    for amount in (Decimal(25), Decimal(1)):
        refund = Refund.objects.create(
            payment=payment, amount=amount, status_changed_at=world.now, created_at=world.now, next_attempt_at=world.now
        )
        refund.record_creation(actor=world.people["admin"], at=world.now)


@planted("refunds_within_payments", "stuck_refund")
def a_refund_of_what_never_came_in(world: World) -> Steps:
    payment = _declined(world)
    yield
    refund = Refund.objects.create(
        payment=payment, amount=1, status_changed_at=world.now, created_at=world.now, next_attempt_at=world.now
    )
    refund.record_creation(actor=world.people["admin"], at=world.now)


@planted("money_kept", "money_of_booking", "money_of_rows", "kept_two_charges", also=["invoice_subjects"])
def two_payments_that_one_booking_keeps(world: World) -> Steps:
    """One paid for another booking of the same event: in the sum nothing is wrong."""
    one, other = (pay(a_booking(event=world.objects["event"], now=world.now)) for _ in range(2))
    issue_all(world.now)
    yield
    change(other, booking=one.booking)


@planted("refunded_amounts", "refunded_amount")
def a_payment_that_says_more_went_back(world: World) -> Steps:
    payment = _part_refunded(world).payment
    yield
    change(payment, refunded_amount=F("refunded_amount") + 1)


@planted("refunded_amounts")
def a_refunded_payment_that_says_completed(world: World) -> Steps:
    payment = _part_refunded(world).payment
    yield
    change(payment, status="completed")
    StatusChange.objects.filter(
        subject_type="payments.payment", subject_id=payment.pk, to_status="partially_refunded"
    ).delete()


@planted("one_open_payment", "two_open_payments", "stuck_payment")
def two_tabs_that_pay_at_once(world: World) -> Steps:
    yield
    lift(Payment, "payments_one_open_per_booking")
    booking = world.objects["unpaid_booking"]
    for _ in range(2):
        payment = Payment.objects.create(
            booking=booking,
            amount=booking.amount_due,
            currency=booking.currency,
            gateway="mock",
            status_changed_at=world.now,
            created_at=world.now,
            next_attempt_at=world.now,
        )
        payment.record_creation(actor=booking.user, at=world.now)


@planted("payment_moments")
def a_payment_completed_at_no_time(world: World) -> Steps:
    yield
    change(world.objects["payment"], completed_at=None)


@planted("payment_moments")
def a_token_that_is_not_forgotten(world: World) -> Steps:
    yield
    change(world.objects["payment"], token="tok_success")


@planted("payment_moments")
def a_callback_processed_to_no_end(world: World) -> Steps:
    callback = _callback(world, processed_at=world.now, result="no_change")
    yield
    change(callback, result="")


@planted("payment_currency")
def a_booking_paid_in_another_currency(world: World) -> Steps:
    """Everything that hangs on the payment says the same; only the booking does not."""
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    yield
    change(payment, currency="USD")
    MockGatewayEntry.objects.filter(key=payment.gateway_key).update(currency="USD")


@planted("invoice_per_payment", "invoice_missing", "stuck_message")
def a_payment_that_nobody_invoices(world: World) -> Steps:
    yield
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    InvoiceRequest.objects.filter(payment=payment).delete()


@planted("invoice_per_payment", "credit_note_missing", "stuck_message")
def a_refund_without_its_credit_note(world: World) -> Steps:
    payment = _paid(world)
    yield
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    refund = Refund.objects.get(payment=payment)
    send_refund(refund_id=refund.pk, now=world.now)
    InvoiceRequest.objects.filter(refund=refund).delete()


@planted("invoice_subjects")
def an_invoice_for_another_booking(world: World) -> Steps:
    payment = _paid(world)
    Invoice.objects.get(payment=payment)
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=payment)
    invoice.booking_id = world.pk("unpaid_booking")
    _issue_anew(invoice)


@planted("invoice_numbers", "invoice_gaps")
def a_number_that_is_missing(world: World) -> Steps:
    yield
    InvoiceSeries.objects.filter(kind="invoice").update(last_number=F("last_number") + 1)


@planted("invoice_numbers", "invoice_gaps")
def a_number_in_the_middle_that_is_missing(world: World) -> Steps:
    first = Invoice.objects.get(payment=world.objects["payment"])
    _paid(world)
    yield
    unguard(Invoice)
    unguard(InvoiceDocument)
    first.sequence, first.number = 99, "EH-INV-000099"
    _issue_anew(first)


@planted("invoice_numbers", "invoice_number_twice", needs_postgresql=True)
def a_number_that_two_invoices_have(world: World) -> Steps:
    payment = _paid(world)
    yield
    unguard(Invoice)
    lift_unique(Invoice, "number")
    invoice = Invoice.objects.get(payment=payment)
    invoice.number = Invoice.objects.get(payment=world.objects["payment"]).number
    _issue_anew(invoice)


@planted("invoice_subjects", "invoice_of_payment_twice", also=["messages_told"])
def a_payment_that_has_two_invoices(world: World) -> Steps:
    yield
    lift(Invoice, "payments_one_invoice_per_payment")
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    InvoiceSeries.objects.filter(pk=invoice.series_id).update(last_number=F("last_number") + 1)
    last = InvoiceSeries.objects.get(pk=invoice.series_id).last_number
    copy(invoice, sequence=last, number=f"TWICE-{last}", content_sha256="", pdf_sha256="")


@planted("invoice_totals")
def lines_that_do_not_make_the_total(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    invoice.lines[0]["total"] = "24.99"
    _issue_anew(invoice)


@planted("invoice_totals")
def tax_that_is_too_much(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    invoice.tax += 1
    _issue_anew(invoice)


@planted("credit_notes")
def credit_notes_that_keep_a_cent_of_tax(world: World) -> Steps:
    """All went back, and not all of the tax."""
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", tax_rate=19, now=world.now))
    issue_all(world.now)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    send_refund(refund_id=Refund.objects.get(payment=payment).pk, now=world.now)
    issue_all(world.now)
    yield
    unguard(Invoice)
    note = Invoice.objects.get(payment=payment, kind="credit_note")
    note.tax, note.subtotal = note.tax + Decimal("0.01"), note.subtotal - Decimal("0.01")
    _issue_anew(note)


@planted("credit_notes", "credited_more_than_invoiced", also=["invoice_subjects"])
def a_credit_note_of_more_than_its_invoice(world: World) -> Steps:
    yield
    unguard(Invoice)
    note = Invoice.objects.get(refund=world.objects["refund"])
    note.total, note.subtotal, note.tax = 2 * note.total, 2 * note.subtotal, 2 * note.tax
    note.lines[0]["total"] = str(note.total)
    _issue_anew(note)


@planted("invoice_hashes")
def an_invoice_that_says_something_else(world: World) -> Steps:
    yield
    unguard(Invoice)
    change(Invoice.objects.get(payment=world.objects["payment"]), billing={"name": "Somebody else"})


@planted("invoice_hashes")
def an_invoice_that_says_something_else_and_has_no_hash(world: World) -> Steps:
    yield
    unguard(Invoice)
    invoice = Invoice.objects.get(payment=world.objects["payment"])
    change(invoice, billing={"name": "Somebody else"}, content_sha256="")


@planted("invoice_hashes")
def a_pdf_with_another_byte(world: World) -> Steps:
    document = InvoiceDocument.objects.get(invoice__payment=world.objects["payment"])
    yield
    unguard(InvoiceDocument)
    change(document, content=bytes(document.content)[:-1] + b"\0")


@planted("invoice_hashes")
def a_pdf_that_is_gone(world: World) -> Steps:
    yield
    unguard(InvoiceDocument)
    documents = InvoiceDocument._base_manager.filter(invoice__payment=world.objects["payment"])
    documents._raw_delete(documents.db)


def _issue_anew(invoice: Invoice) -> None:
    """Write an invoice past its guards with a hash that fits: whoever forges one may know how."""
    from payments.services.invoice_content import hash_of_content

    invoice.content_sha256 = hash_of_content(invoice)
    names = [field.attname for field in invoice._meta.concrete_fields if not field.primary_key]
    change(invoice, **{name: getattr(invoice, name) for name in names})


@planted("gateway_ledger", "charge_of_nobody")
def a_charge_of_nobody(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.create(
        kind="charge",
        key="nobody",
        reference="mock_ch_nobody",
        amount=1,
        currency="EUR",
        succeeded=True,
        created_at=world.now,
    )


@planted("gateway_ledger", "payment_never_taken", "money_of_booking", "money_of_event", "charge_of_nobody")
def a_payment_that_the_gateway_never_took(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["payment"].gateway_key).update(key="other")


@planted("gateway_ledger", "payment_never_taken", "money_of_booking", "money_of_event")
def a_payment_of_another_amount_than_the_charge(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["payment"].gateway_key).update(amount=Decimal("24.99"))


@planted("gateway_ledger", "charge_not_recorded", "money_of_booking", "money_of_event")
def a_charge_that_we_think_failed(world: World) -> Steps:
    """A late success that never reached us."""
    payment = _declined(world)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    yield
    entries = MockGatewayEntry.objects.filter(key=payment.gateway_key)
    entries.update(succeeded=True, created_at=_before(world, hours=1))


@planted("gateway_ledger", "undecided_at_the_gateway")
def a_charge_that_may_yet_succeed_and_that_we_gave_up(world: World) -> Steps:
    payment = _declined(world)
    yield
    MockGatewayEntry.objects.filter(key=payment.gateway_key).update(succeeded=None)


@planted("gateway_ledger", "refund_not_recorded", "money_of_booking", "money_of_event")
def a_refund_given_by_the_gateway_and_by_hand(world: World) -> Steps:
    yield
    change(world.objects["refund"], by_hand_note="In cash")


@planted("gateway_ledger", "refund_never_given", "money_of_booking", "money_of_event")
def a_refund_that_the_gateway_never_gave(world: World) -> Steps:
    yield
    MockGatewayEntry.objects.filter(key=world.objects["refund"].gateway_key).update(succeeded=False)


@planted("gateway_ledger", "money_of_booking", "money_of_event")
def a_refund_that_the_gateway_took_from_another_charge(world: World) -> Steps:
    other = pay(a_booking(event=world.objects["event"], now=world.now))
    issue_all(world.now)
    yield
    entries = MockGatewayEntry.objects.filter(key=world.objects["refund"].gateway_key)
    entries.update(charge_reference=other.gateway_reference)


@planted("gateway_ledger", "refund_of_nobody", "money_of_booking", "money_of_event")
def a_refund_of_nobody(world: World) -> Steps:
    payment = world.objects["payment"]
    yield
    MockGatewayEntry.objects.create(
        kind="refund",
        key="nobody",
        reference="mock_re_nobody",
        charge_reference=payment.gateway_reference,
        amount=1,
        currency="EUR",
        succeeded=True,
        created_at=world.now,
    )


@planted("gateway_ledger", "gave_back_more_than_taken", "money_of_booking", "money_of_event", "refund_of_nobody")
def a_gateway_that_gave_more_than_it_took(world: World) -> Steps:
    yield
    refund = MockGatewayEntry.objects.get(key=world.objects["refund"].gateway_key)
    copy(refund, key="again", reference="mock_re_again")


@planted("work_parked")
def a_payment_that_was_given_up(world: World) -> Steps:
    yield
    change(world.objects["payment"], parked_at=world.now, last_error="The gateway is away.")


@planted("work_parked", "stuck_callback")
def a_callback_that_was_given_up(world: World) -> Steps:
    yield
    _callback(world, subject="charge", next_attempt_at=world.now, parked_at=world.now)


@planted("work_found")
def a_refund_that_no_sweep_will_send(world: World) -> Steps:
    """Cancelled by the attendee, and its row of work lost its time."""
    payment = _paid(world)
    cancel_booking(booking_id=payment.booking_id, actor=payment.booking.user, now=world.now)
    yield
    Refund.objects.filter(payment=payment).update(next_attempt_at=None)


@planted("work_found", "stuck_invoice", "invoice_missing", "stuck_message")
def an_invoice_that_no_sweep_will_issue(world: World) -> Steps:
    yield
    payment = pay(a_booking(organizer=world.people["organizer"], price="30.00", now=world.now))
    InvoiceRequest.objects.filter(payment=payment).update(next_attempt_at=None)


@planted("work_found")
def a_payment_that_is_done_and_owed(world: World) -> Steps:
    yield
    change(world.objects["payment"], next_attempt_at=world.now)


# --- Messages ---------------------------------------------------------------------------------------------------------


@planted("messages_once", "occasion_twice", "told_twice", "stuck_message", needs_postgresql=True)
def somebody_told_twice(world: World) -> Steps:
    yield
    lift(Notification, "notifications_once_per_occasion")
    copy(Notification.objects.get(dedupe_key=f"booking.confirmed:{world.pk('booking')}"))


@planted("messages_sent_at")
def a_message_sent_at_no_time(world: World) -> Steps:
    yield
    lift(Notification, "notifications_sent_at_a_time")
    change(world.objects["notification"], sent_at=world.now)


@planted("messages_found")
def a_message_that_no_sweep_will_send(world: World) -> Steps:
    yield
    lift(Notification, "notifications_owed_is_due_some_time")
    change(world.objects["notification"], next_attempt_at=None)


@planted("messages_parked")
def a_message_given_up_unseen(world: World) -> Steps:
    yield
    lift(Notification, "notifications_failed_is_parked")
    message = world.objects["notification"]
    change(message, status="failed", next_attempt_at=None)
    for before, after in (("unsent", "sending"), ("sending", "failed")):
        StatusChange.objects.create(
            subject_type="notifications.notification",
            subject_id=message.pk,
            from_status=before,
            to_status=after,
            actor="system:test",
            at=world.now,
        )


@planted("messages_read")
def a_message_read_at_no_time(world: World) -> Steps:
    yield
    lift(Notification, "notifications_read_at_a_time")
    change(world.objects["notification"], is_read=True)


@planted("messages_told", "refund_not_told")
def a_refund_that_nobody_was_told_of(world: World) -> Steps:
    yield
    Notification.objects.filter(dedupe_key=f"refund.completed:{world.pk('refund')}").delete()
