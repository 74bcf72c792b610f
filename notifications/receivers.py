"""What people are told when something happened. Each writes one row, in the transaction of its cause."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from bookings.models import Booking, Waitlist
from bookings.signals import (
    booking_cancelled,
    booking_confirmed,
    booking_expired,
    booking_given,
    booking_moved,
    booking_placed,
    confirmation_requested,
    offer_lapsed,
    seat_offered,
    waitlist_closed,
    waitlist_joined,
)
from eventhub_config.shared.dispatch import enqueue_on_commit
from notifications import services, tasks
from notifications.signals import message_owed
from notifications.texts import duration, local_moment, local_span, masked, place, price, seats
from payments.models import Invoice, Payment, Refund
from payments.signals import invoice_issued, payment_failed, refund_completed, refund_failed, refund_left_to_people
from users.models import AccountLink, CustomUser, PendingRegistration
from users.signals import (
    account_link_owed,
    address_in_use,
    email_change_requested,
    email_changed,
    organizer_status_changed,
    password_changed,
    registration_link_owed,
    user_registered,
)


@receiver(message_owed)
def wake_delivery_worker(*, notification_id: int, **_: Any) -> None:
    enqueue_on_commit(tasks.deliver_message, notification_id=notification_id)


@receiver(user_registered)
def welcome(*, user: CustomUser, **_: Any) -> None:
    services.notify(
        user_id=user.pk,
        kind="user_registered",
        dedupe_key=f"user.registered:{user.pk}",
        context={"username": user.username},
        data={},
        now=user.date_joined,
    )


@receiver(account_link_owed)
def mail_link(*, link: AccountLink, now: datetime, **_: Any) -> None:
    _tell_of_account(
        link.user, link.purpose, f"account.link:{link.pk}", now, link=link, send_to=link.email,
        context={"lifetime": duration(link.expires_at - link.created_at)},
    )  # fmt: skip


@receiver(registration_link_owed)
def mail_registration_link(*, pending: PendingRegistration, now: datetime, **_: Any) -> None:
    services.notify(
        user_id=None,
        kind="confirm_registration",
        dedupe_key=f"account.registration:{pending.pk}",
        context={"username": pending.username, "lifetime": duration(pending.expires_at - pending.created_at)},
        data={"pending_registration": pending.pk},
        send_to=pending.email,
        now=now,
    )


@receiver(address_in_use)
def tell_owner_of_address(*, user: CustomUser, now: datetime, **_: Any) -> None:
    # By the hour: however often somebody types this address, its owner is told once in a while.
    _tell_of_account(user, "address_in_use", f"account.address_in_use:{user.pk}:{now:%Y%m%d%H}", now)


@receiver(email_change_requested)
def tell_of_email_change_request(*, link: AccountLink, now: datetime, **_: Any) -> None:
    key = f"account.email_change_requested:{link.pk}"
    _tell_of_account(link.user, "email_change_requested", key, now, context={"new_email": masked(link.email)})


@receiver(email_changed)
def tell_of_email_change(*, user: CustomUser, old_email: str, now: datetime, **_: Any) -> None:
    key, context = f"account.email_changed:{user.pk}:{now.isoformat()}", {"new_email": masked(user.email)}
    _tell_of_account(user, "email_changed", key, now, context=context, send_to=old_email)


@receiver(password_changed)
def tell_of_new_password(*, user: CustomUser, now: datetime, **_: Any) -> None:
    _tell_of_account(user, "password_changed", f"account.password_changed:{user.pk}:{user.token_version}", now)


@receiver(organizer_status_changed)
def tell_of_organizer_status(*, user: CustomUser, now: datetime, **_: Any) -> None:
    kinds = {"approved": "organizer_approved", "rejected": "organizer_rejected"}
    kind = kinds.get(user.organizer_status)
    if kind:
        _tell_of_account(user, kind, f"account.{kind}:{user.pk}:{now.isoformat()}", now)


@receiver(booking_placed)
def tell_of_hold(*, booking: Booking, now: datetime, **_: Any) -> None:
    context = {
        "amount": price(booking.total_amount, booking.currency),
        "deadline": local_moment(booking.expires_at or now, booking.event.timezone),
    }
    _tell("booking_placed", f"booking.placed:{booking.pk}", booking, now, context)


@receiver(booking_confirmed)
def tell_of_confirmation(*, booking: Booking, now: datetime, **_: Any) -> None:
    _tell("booking_confirmed", f"booking.confirmed:{booking.pk}", booking, now)


@receiver(confirmation_requested)
def confirm_again(*, booking: Booking, now: datetime, **_: Any) -> None:
    _tell("confirmation_requested", f"booking.confirmed:{booking.pk}:{now.isoformat()}", booking, now)


@receiver(booking_given)
def tell_of_gift(*, booking: Booking, invitation: AccountLink | None, now: datetime, **_: Any) -> None:
    context = {
        "giver": booking.event.organizer.display_name,
        "seats": seats(booking.seats),
    }
    data = {"account_link": invitation.pk} if invitation else {}
    kind = "booking_given_to_newcomer" if invitation else "booking_given"
    _tell(kind, f"booking.given:{booking.pk}", booking, now, context, data)


@receiver(booking_cancelled)
def tell_of_cancellation(*, booking: Booking, now: datetime, **_: Any) -> None:
    reason = f"Reason: {booking.cancellation_reason}" if booking.cancellation_reason else ""
    _tell("booking_cancelled", f"booking.cancelled:{booking.pk}", booking, now, {"reason": reason})


@receiver(booking_expired)
def tell_of_expiry(*, booking: Booking, now: datetime, **_: Any) -> None:
    _tell("booking_expired", f"booking.expired:{booking.pk}", booking, now)


@receiver(booking_moved)
def tell_of_move(*, booking: Booking, moved_at: datetime, now: datetime, **_: Any) -> None:
    event, until = booking.event, booking.free_cancellation_until
    way_out = "If it suits you no more, you can cancel free of charge until {}."
    context = {
        "when": local_span(event),
        "where": place(event) or "at the place it names",
        "way_out": way_out.format(local_moment(until, event.timezone)) if until and now < until else "",
    }
    _tell("booking_moved", f"booking.moved:{booking.pk}:{moved_at.isoformat()}", booking, now, context)


@receiver(waitlist_joined)
def tell_of_place(*, entry: Waitlist, now: datetime, **_: Any) -> None:
    _tell_who_waits("waitlist_joined", f"waitlist.joined:{entry.pk}", entry, now, {"seats": seats(entry.seats)})


@receiver(seat_offered)
def tell_of_offer(*, entry: Waitlist, now: datetime, **_: Any) -> None:
    deadline = local_moment(entry.offer_expires_at or now, entry.event.timezone)
    context = {"seats": seats(entry.seats), "deadline": deadline}
    _tell_who_waits("seat_offered", f"waitlist.offered:{entry.pk}", entry, now, context)


@receiver(offer_lapsed)
def tell_of_lapsed_offer(*, entry: Waitlist, now: datetime, **_: Any) -> None:
    _tell_who_waits("offer_lapsed", f"waitlist.lapsed:{entry.pk}", entry, now)


@receiver(waitlist_closed)
def tell_of_closed_place(*, entry: Waitlist, reason: str, now: datetime, **_: Any) -> None:
    _tell_who_waits("waitlist_closed", f"waitlist.closed:{entry.pk}", entry, now, {"reason": reason})


@receiver(payment_failed)
def tell_of_failed_payment(*, payment: Payment, now: datetime, **_: Any) -> None:
    context = {"amount": price(payment.amount, payment.currency)}
    data = {"payment": payment.pk}
    _tell("payment_failed", f"payment.failed:{payment.pk}", payment.booking, now, context, data)


@receiver(refund_completed)
def tell_of_refund(*, refund: Refund, now: datetime, **_: Any) -> None:
    payment = refund.payment
    way = "It can take some days until your bank shows it."
    if refund.by_hand_note:
        way = f"Whoever runs the event gave it back by hand: “{refund.by_hand_note}”."
    reason = f"Reason: {refund.reason}" if refund.reason else ""
    context = {"amount": price(refund.amount, payment.currency), "way": way, "reason": reason}
    data = {"payment": payment.pk, "refund": refund.pk}
    _tell("refund_completed", f"refund.completed:{refund.pk}", payment.booking, now, context, data)


@receiver(refund_failed)
def tell_of_failed_refund(*, refund: Refund, now: datetime, **_: Any) -> None:
    # By the moment: each time that it is given up is an occasion.
    key = f"refund.failed:{refund.pk}:{now.isoformat()}"
    reason = refund.failure_code or "it was tried too often without an answer"
    _tell_organizer("refund_failed", key, refund, now, {"reason": reason})


@receiver(refund_left_to_people)
def tell_of_refund_by_hand(*, refund: Refund, now: datetime, **_: Any) -> None:
    _tell_organizer("refund_left_to_people", f"refund.left_to_people:{refund.pk}", refund, now)


@receiver(invoice_issued)
def tell_of_invoice(*, invoice: Invoice, now: datetime, **_: Any) -> None:
    context = {
        "document": invoice.get_kind_display(),
        "number": invoice.number,
        "amount": price(invoice.total, invoice.currency),
    }
    data = {"payment": invoice.payment_id, "invoice": invoice.pk}
    _tell("invoice_issued", f"invoice.issued:{invoice.pk}", invoice.booking, now, context, data)


def _tell_of_account(
    user: CustomUser,
    kind: str,
    dedupe_key: str,
    now: datetime,
    *,
    context: Mapping[str, str] | None = None,
    link: AccountLink | None = None,
    send_to: str = "",
) -> None:
    """Write a message about somebody's account; ``link`` is the one that its mail carries."""
    services.notify(
        user_id=user.pk,
        kind=kind,
        dedupe_key=dedupe_key,
        context={"username": user.username, **(context or {})},
        data={"account_link": link.pk} if link else {},
        send_to=send_to,
        now=now,
    )


def _tell(
    kind: str,
    dedupe_key: str,
    booking: Booking,
    now: datetime,
    context: Mapping[str, str] | None = None,
    data: Mapping[str, int] | None = None,
) -> None:
    """Write a message about a booking to the person who made it."""
    services.notify(
        user_id=booking.user_id,
        kind=kind,
        dedupe_key=dedupe_key,
        context={"event": booking.event.title, "reference": booking.reference, **(context or {})},
        data={"booking": booking.pk, "event": booking.event_id, **(data or {})},
        now=now,
    )


def _tell_organizer(
    kind: str, dedupe_key: str, refund: Refund, now: datetime, context: Mapping[str, str] | None = None
) -> None:
    """Write a message about a refund to whoever runs the event."""
    payment, booking = refund.payment, refund.payment.booking
    services.notify(
        user_id=booking.event.organizer_id,
        kind=kind,
        dedupe_key=dedupe_key,
        context={
            "event": booking.event.title,
            "reference": booking.reference,
            "amount": price(refund.amount, payment.currency),
            **(context or {}),
        },
        data={"refund": refund.pk, "payment": payment.pk, "booking": booking.pk, "event": booking.event_id},
        now=now,
    )


def _tell_who_waits(
    kind: str, dedupe_key: str, entry: Waitlist, now: datetime, context: Mapping[str, str] | None = None
) -> None:
    """Write a message about a place in a queue to whoever has it."""
    services.notify(
        user_id=entry.user_id,
        kind=kind,
        dedupe_key=dedupe_key,
        context={"event": entry.event.title, **(context or {})},
        data={"waitlist_entry": entry.pk, "event": entry.event_id},
        now=now,
    )
