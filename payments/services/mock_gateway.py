"""What the mock gateway does as the company that it stands for: it keeps books, decides what is open, and tells of it.

Nothing here reads or writes a row of ours. What became of a charge or refund reaches us as it would from any gateway:
as an answer when we ask, and as a signed callback over HTTP.
"""

import http.client
import json
import logging
import urllib.error
import urllib.request
from datetime import datetime
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from eventhub_config.shared import money
from eventhub_config.shared.actors import Actor
from eventhub_config.shared.errors import InvalidTransition
from eventhub_config.shared.periodic import BATCH
from eventhub_config.shared.references import opaque_key
from eventhub_config.shared.transactions import unit_of_work
from payments import signals
from payments.models import MockGatewayEntry, MockGatewayMessage
from payments.signing import HEADER, mock_gateway_secret, sign

DUPLICATE_CALLBACK, OUT_OF_ORDER = "tok_duplicate_callback", "tok_out_of_order"
COPIES = 3  # of each callback that is to come more than once
POST_SECONDS = 5
logger = logging.getLogger(__name__)


# --- Books ------------------------------------------------------------------------------------------------------------


@unit_of_work
def enter(*, entry: MockGatewayEntry) -> MockGatewayEntry:
    """Write a charge or refund into the books, and owe the callbacks about it; return what stands there.

    The same key in the same moment: one of the two is what happened.
    """
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        return MockGatewayEntry.objects.get(key=entry.key)
    _owe_messages(entry, entry.created_at)
    return entry


@unit_of_work
def decide(*, entry_id: int, succeeded: bool, failure_code: str = "", now: datetime) -> bool:
    """Decide what is open, and owe the callbacks about it; return whether it was open still."""
    open_still = MockGatewayEntry.objects.filter(pk=entry_id, succeeded=None)
    code = "" if succeeded else failure_code
    if not open_still.update(succeeded=succeeded, failure_code=code, awaits_person=False):
        return False
    _owe_messages(MockGatewayEntry.objects.get(pk=entry_id), now)
    return True


def settle(*, entry: MockGatewayEntry, now: datetime) -> MockGatewayEntry:
    """Decide an open entry whose time has come, as was said when it was made; return it as it is now."""
    if entry.succeeded is None and entry.settles_at is not None and entry.settles_at <= now:
        decide(entry_id=entry.pk, succeeded=not entry.failure_code, failure_code=entry.failure_code, now=now)
        entry.refresh_from_db()
    return entry


def settle_due(now: datetime) -> int:
    """Decide everything whose time has come, whether anybody asks for it or not; return how much that was."""
    due = MockGatewayEntry.objects.filter(succeeded=None, settles_at__lte=now).order_by("settles_at", "pk")
    return sum(settle(entry=entry, now=now).succeeded is not None for entry in list(due[:BATCH]))


def decide_by_person(*, reference: str, approve: bool, actor: Actor, now: datetime) -> MockGatewayEntry:
    """Finish a charge that waits for its person, as they said on the gateway's page.

    :raises InvalidTransition: it waits for nobody any more.
    """
    entry = MockGatewayEntry.objects.get(reference=reference, kind=MockGatewayEntry.Kind.CHARGE)
    if not entry.awaits_person or not decide(
        entry_id=entry.pk, succeeded=approve, failure_code="declined_by_person", now=now
    ):
        raise InvalidTransition("This payment was decided already.")
    logger.info("%s decided %s: %s", actor, entry, "approved" if approve else "declined")
    entry.refresh_from_db()
    return entry


# --- Callbacks --------------------------------------------------------------------------------------------------------


def _owe_messages(entry: MockGatewayEntry, now: datetime) -> None:
    """Write what is to be told of an entry, in the transaction that changed it."""
    if not settings.MOCK_GATEWAY_CALLBACK_URL:
        return  # nobody wants to hear anything: we are asked
    name = entry.script.partition(":")[0]
    for status in _statuses_to_tell(entry, name):
        event_id = f"mock_ev_{opaque_key()}"
        body = json.dumps(_message(entry, status, event_id, now), separators=(",", ":"))
        for _ in range(COPIES if name == DUPLICATE_CALLBACK else 1):
            message = MockGatewayMessage.objects.create(
                entry=entry, event_id=event_id, body=body, created_at=now, next_attempt_at=now
            )
            signals.mock_gateway_spoke.send(sender=MockGatewayMessage, message=message)


def _statuses_to_tell(entry: MockGatewayEntry, script: str) -> list[str]:
    if entry.succeeded is None:
        return ["pending"] if entry.kind == MockGatewayEntry.Kind.CHARGE else []
    if script == OUT_OF_ORDER and entry.kind == MockGatewayEntry.Kind.CHARGE:
        return ["succeeded", "failed", "pending"]  # the last word first, and an earlier try that failed
    return ["succeeded" if entry.succeeded else "failed"]


def _message(entry: MockGatewayEntry, status: str, event_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": event_id,
        "type": f"{entry.kind}.{status}",
        "created": int(now.timestamp()),
        "data": {
            "key": entry.key,
            "reference": entry.reference,
            "amount": money.as_text(entry.amount, entry.currency),
            "currency": entry.currency,
            "status": status,
            "failure_code": (entry.failure_code or "card_declined") if status == "failed" else "",
        },
    }


def tell(*, message_id: int, now: datetime) -> None:
    """Post a due callback to where it is wanted, and try again later until it is taken.

    May run any number of times. A worker that dies after posting posts it again: callbacks may come twice.
    """
    message = _claim(message_id=message_id, now=now)
    if message is not None:
        answer = _post(message.body.encode())
        _record(message_id=message_id, answer=answer, now=now)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None  # whoever answers with another address has not taken it


def _post(body: bytes) -> str:
    """Return the status that a callback was answered with, or what kept it from being answered."""
    public = urlsplit(settings.PUBLIC_URL)
    headers = {
        "Content-Type": "application/json",
        HEADER: sign(body, secret=mock_gateway_secret(), at=timezone.now()),
        # As the proxy in front would ask: the web process answers neither to the name that it is reached by inside,
        # nor, where people use https, to plain http.
        "Host": public.netloc,
        "X-Forwarded-Proto": public.scheme,
    }
    request = urllib.request.Request(settings.MOCK_GATEWAY_CALLBACK_URL, body, headers)  # noqa: S310 (http by settings)
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
    try:
        with straight.open(request, timeout=POST_SECONDS) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)
    except (OSError, http.client.HTTPException) as error:
        return repr(error)


@unit_of_work
def _claim(*, message_id: int, now: datetime) -> MockGatewayMessage | None:
    rows = MockGatewayMessage.objects.select_for_update(no_key=True)
    message = rows.filter(pk=message_id, delivered_at=None).first()
    if message is None or not message.is_due(now):
        return None
    if not settings.MOCK_GATEWAY_CALLBACK_URL:  # nobody wants to hear it any more: it is not owed either
        message.work_goes_on(None)
        message.save(update_fields=message.WORK_COLUMNS)
        return None
    claimed = message.hold_claim(now)
    message.save(update_fields=message.WORK_COLUMNS)
    return message if claimed else None


@unit_of_work
def _record(*, message_id: int, answer: str, now: datetime) -> None:
    message = MockGatewayMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.delivered_at is not None:
        return
    message.answer = answer[:80]
    if answer.isdigit() and 200 <= int(answer) < 300:
        message.work_is_done()
        message.delivered_at = now
    else:
        message.work_failed(answer, now=now)
    message.save(update_fields=[*message.WORK_COLUMNS, "answer", "delivered_at"])
