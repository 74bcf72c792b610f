"""``Idempotency-Key``: a request sent again does nothing again.

The key's row is written in the same transaction as what it made, before the hot rows: a refusal or a kill takes both
back. On PostgreSQL a try-lock lets a second request in flight be refused at once instead of waiting for the first
one's commit; on SQLite the second one waits for the write lock and is then answered from the row.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import orjson
from django.db import connection, models
from rest_framework.request import Request

from eventhub_config.shared.errors import DomainError, InvalidInput
from eventhub_config.shared.fast_insert import insert_rows
from eventhub_config.shared.models import IdempotencyRecord

M = TypeVar("M", bound=models.Model)
HEADER = "Idempotency-Key"
_ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,255}")


class RequestInProgress(DomainError):
    code = "request_in_progress"
    title = "A request with this Idempotency-Key is being worked on. Try again shortly."


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    title = "This Idempotency-Key was sent with another body before."


@dataclass
class IdempotencyKey:
    """One caller's key for one route, or the absence of one (empty ``key``). Handed down to the service that acts."""

    user_id: int = 0
    route: str = ""
    key: str = ""
    body_hash: str = ""
    replayed: bool = False
    status: int = field(default=0)

    def find(self, model: type[M]) -> M | None:
        """Return what this key made before, or None. Call first thing inside the unit of work.

        :raises RequestInProgress: another request holds the key right now.
        :raises IdempotencyKeyReused: it came with another body.
        """
        if not self.key:
            return None
        if connection.vendor == "postgresql":
            self._try_lock()
        with connection.cursor() as cursor:
            cursor.execute(_KEPT, [self.user_id, self.route, self.key])
            kept = cursor.fetchone()
        if kept is None:
            return None
        body_hash, resource_id, status = kept
        if body_hash != self.body_hash:
            raise IdempotencyKeyReused
        self.replayed, self.status = True, status
        return model._base_manager.get(pk=resource_id)

    def record(self, resource: models.Model, *, status: int, now: datetime) -> None:
        """Remember what this key made. Call before the hot rows are touched."""
        self.status = status
        if not self.key:
            return
        record = IdempotencyRecord(
            user_id=self.user_id,
            route=self.route,
            key=self.key,
            body_hash=self.body_hash,
            resource_id=resource.pk,
            response_status=status,
            created_at=now,
        )
        insert_rows([record])

    def headers(self) -> dict[str, str]:
        return {"Idempotency-Replayed": "true"} if self.replayed else {}

    def _try_lock(self) -> None:
        """Lock the key until the transaction ends. A statement by itself: what is read must be read after it."""
        digest = hashlib.blake2b(f"{self.user_id}\n{self.route}\n{self.key}".encode(), digest_size=8).digest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest, "big", signed=True)])
            (got,) = cursor.fetchone()
        if not got:
            raise RequestInProgress(headers={"Retry-After": "1"})


# Plain SQL, like that of the seat engine and for the same reason.
_KEPT = f"""
SELECT body_hash, resource_id, response_status FROM {IdempotencyRecord._meta.db_table}
 WHERE user_id = %s AND route = %s AND key = %s
"""  # noqa: S608 (our own names)


def idempotency_key(request: Request) -> IdempotencyKey:
    """Return the key of a request, scoped to its user and path.

    :raises InvalidInput: the header is not 1 to 255 printable ASCII characters.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return IdempotencyKey()
    if not _ACCEPTABLE.fullmatch(key):
        raise InvalidInput.field(HEADER, "invalid", "Send 1 to 255 printable ASCII characters without spaces.")
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    return IdempotencyKey(
        user_id=int(request.user.pk or 0),
        route=f"{request.method} {request.path}"[:120],
        key=key,
        body_hash=hashlib.sha256(body).hexdigest(),
    )
