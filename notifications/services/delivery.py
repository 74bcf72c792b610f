"""Telling people: a row per person and occasion, written with its cause and sent by a worker."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from smtplib import SMTPRecipientsRefused

from django.core.mail.backends.base import BaseEmailBackend

from eventhub_config.shared.actors import Actor, System
from eventhub_config.shared.fast_insert import insert_once
from eventhub_config.shared.transactions import unit_of_work
from notifications import signals
from notifications.mail import LinkHasEnded, address_of, compose
from notifications.messages import INVOICE, KINDS, words
from notifications.models import Notification
from payments.services import mark_as_sent
from users.models import CustomUser

logger = logging.getLogger(__name__)

WORKER = System("deliver_message")
_ADDRESS = re.compile(r"[^\s<>()'\":,;{}]+@[^\s<>()'\":,;{}]+")


def notify(
    *,
    user_id: int | None,
    kind: str,
    dedupe_key: str,
    context: Mapping[str, str],
    data: Mapping[str, int],
    now: datetime,
    send_to: str = "",
) -> bool:
    """Write a message, once per ``dedupe_key``, in the transaction of what caused it; return whether it was this call.

    ``send_to`` is an address other than the user's own; a stranger has no ``user_id``. One statement. A second call
    changes nothing and breaks no transaction, in parallel either.
    """
    title, body = words(kind, context)
    notification = Notification(
        user_id=user_id,
        send_to=send_to,
        in_app=KINDS[kind].in_app,
        type=KINDS[kind].type,
        kind=kind,
        title=title,
        body=body,
        data=dict(data),
        dedupe_key=dedupe_key,
        status_changed_at=now,
        created_at=now,
        next_attempt_at=now,
    )
    if not insert_once(notification):
        return False
    signals.message_owed.send(sender=Notification, notification_id=notification.pk)
    return True


def deliver(*, notification_id: int, now: datetime, through: BaseEmailBackend | None = None) -> None:
    """Send a due message by e-mail and record what came of it. Outside of any transaction; may run any number of times.

    One of the runs claims the row. A worker that dies leaves a claim that runs out, and the message is sent anew:
    doubled only if the worker died between handing it to the mail server and recording that. ``through`` is another
    way out than the settings' own.
    """
    notification = _claim(notification_id=notification_id, now=now)
    if notification is None:
        return
    try:
        skipped = _reason_to_skip(notification)
        if not skipped:
            mail = compose(notification, now)
            mail.connection = through
            mail.send()
    except LinkHasEnded:
        _record_success(notification_id=notification_id, skipped=Notification.SkipReason.OUTDATED, now=now)
    except Exception as error:  # noqa: BLE001  (whatever is wrong with one message must not stop the others)
        logger.warning("Message %s was not sent: %s", notification_id, described(error))
        _record_failure(notification_id=notification_id, attempt=notification.attempts, error=error, now=now)
    else:
        _record_success(notification_id=notification_id, skipped=skipped, now=now)


@unit_of_work
def resend(*, notification_id: int, actor: Actor, now: datetime) -> Notification:
    """Owe a message that was given up once more, with all its attempts.

    :raises InvalidTransition: it was not given up.
    """
    notification = Notification.objects.select_for_update(no_key=True).get(pk=notification_id)
    notification.attempts, notification.parked_at, notification.next_attempt_at = 0, None, now
    notification.move_to(Notification.Status.UNSENT, actor=actor, at=now, also=Notification.WORK_COLUMNS)
    signals.message_owed.send(sender=Notification, notification_id=notification.pk)
    return notification


def mark_as_read(*, notification_id: int, now: datetime) -> Notification:
    """Mark one message as read; once read, it keeps the time of the first reading."""
    Notification.objects.unread().filter(pk=notification_id).update(is_read=True, read_at=now)
    return Notification.objects.get(pk=notification_id)


def mark_all_as_read(*, user: CustomUser, now: datetime) -> int:
    """Mark everything that a person has not read yet as read; return how many messages that were."""
    return Notification.objects.visible_to(user).unread().update(is_read=True, read_at=now)


def unread_count(*, user: CustomUser) -> int:
    return Notification.objects.visible_to(user).unread().count()


@unit_of_work
def _claim(*, notification_id: int, now: datetime) -> Notification | None:
    """Take a due message to send for a while, and return it; None if it is not due or somebody else has it."""
    rows = Notification.objects.select_for_update(no_key=True, of=("self",)).select_related("user__profile")
    notification = rows.filter(pk=notification_id, status__in=Notification.OWED).first()
    if notification is None or not notification.is_due(now):
        return None
    if notification.attempts >= notification.MAX_ATTEMPTS:
        # Its last worker died over it, as those before: one more would only kill the next.
        _give_up(notification, "The worker died while sending it.", now)
        return None
    notification.hold_claim(now)
    if notification.status == Notification.Status.UNSENT:
        notification.move_to(Notification.Status.SENDING, actor=WORKER, at=now, also=Notification.WORK_COLUMNS)
    else:
        notification.save(update_fields=Notification.WORK_COLUMNS)
    return notification


def _reason_to_skip(notification: Notification) -> str:
    user = notification.user
    if user is not None and not user.is_active:
        return Notification.SkipReason.INACTIVE
    if not address_of(notification):
        return Notification.SkipReason.NO_ADDRESS
    if user is None or KINDS[notification.kind].essential:
        return ""
    if not user.profile.notification_preferences.get(notification.type, True):
        return Notification.SkipReason.UNWANTED
    return ""


@unit_of_work
def _record_success(*, notification_id: int, skipped: str, now: datetime) -> None:
    notification = Notification.objects.select_for_update(no_key=True).filter(pk=notification_id).first()
    if notification is None or not notification.may_move_to(Notification.Status.SENT):
        return
    if INVOICE in KINDS[notification.kind].papers and not skipped:
        mark_as_sent(invoice_id=notification.data["invoice"], actor=WORKER, now=now)
    notification.work_is_done()
    notification.sent_at, notification.skip_reason = now, skipped
    notification.move_to(
        Notification.Status.SENT,
        actor=WORKER,
        at=now,
        note=skipped,
        also=[*Notification.WORK_COLUMNS, "sent_at", "skip_reason"],
    )


@unit_of_work
def _record_failure(*, notification_id: int, attempt: int, error: Exception, now: datetime) -> None:
    notification = Notification.objects.select_for_update(no_key=True).filter(pk=notification_id).first()
    if notification is None or notification.status != Notification.Status.SENDING or notification.attempts != attempt:
        return  # our claim ran out, and another worker has it
    notification.work_failed(described(error), now=now)
    if notification.parked_at or _is_final(error):
        _give_up(notification, described(error), now)
    else:
        notification.save(update_fields=Notification.WORK_COLUMNS)


def described(error: Exception) -> str:
    """Return what went wrong without the addresses that mail servers repeat: this is logged and kept."""
    return _ADDRESS.sub("<address>", repr(error))


def _is_final(error: Exception) -> bool:
    """Return whether the mail server refused the address for good. Source: RFC 5321 section 4.2.1 (5yz)."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(code >= 500 for code, _answer in error.recipients.values())


def _give_up(notification: Notification, reason: str, now: datetime) -> None:
    notification.parked_at, notification.claimed_until = now, None
    notification.last_error = reason[:500]
    notification.move_to(Notification.Status.FAILED, actor=WORKER, at=now, note=reason, also=Notification.WORK_COLUMNS)
