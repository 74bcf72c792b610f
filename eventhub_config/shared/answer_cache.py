"""Ready answers kept in Redis for moments: for lists that many people ask for and that are the same for all of them.

An answer is used while it is young and no edit has come since: each scope has an edition that rises with every edit,
read together with the answer in one round trip. Without Redis nothing is kept and everything is made anew. Decisions
are never made on a kept answer.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from eventhub_config.shared.redis_circuit import RedisUnavailableError, circuit, client, key

logger = logging.getLogger(__name__)


def kept_answer(request: Request, *, scope: str, seconds: int, make: Callable[[], bytes]) -> HttpResponse:
    """Answer with JSON that was kept for this address, or made now and kept for ``seconds``; or with 304."""
    body = _kept(request, scope, seconds, make) if seconds else make()
    tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(body, content_type="application/json", headers={"ETag": tag})


def forget_on_commit(scope: str) -> None:
    """Let no answer of this scope be used that was made before the present transaction commits."""

    def forget() -> None:
        try:
            circuit.call(lambda: client().incr(_edition_key(scope)))
        except RedisUnavailableError:
            logger.info("Kept answers about %s may be told for their last moments.", scope)

    transaction.on_commit(forget)


def _kept(request: Request, scope: str, seconds: int, make: Callable[[], bytes]) -> bytes:
    address = hashlib.blake2b(request.build_absolute_uri().encode(), digest_size=16).hexdigest()
    name = key("answer", scope, address)
    try:
        found: Any = circuit.call(lambda: client().mget(_edition_key(scope), name))
    except RedisUnavailableError:
        return make()
    edition: bytes = found[0] or b"0"
    made_in, _, kept = (found[1] or b"").partition(b"\n")
    if kept and made_in == edition:
        return bytes(kept)
    body = make()
    try:
        # Under the edition read before: an edit in between makes it worthless, not wrong.
        circuit.call(lambda: client().set(name, edition + b"\n" + body, ex=seconds))
    except RedisUnavailableError:
        logger.debug("An answer about %s was not kept.", scope)
    return body


def _edition_key(scope: str) -> str:
    return key("edition", scope)
