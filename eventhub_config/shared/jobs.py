"""The floor's own periodic work."""

from datetime import datetime, timedelta

from eventhub_config.shared.models import IdempotencyRecord, RateLimitCounter
from eventhub_config.shared.periodic import Chore

# Longer than a client goes on repeating a request. Source: Stripe keeps keys for 24 hours at least.
KEYS_ARE_KEPT = timedelta(hours=48)


def purge_leftovers(now: datetime) -> int:
    """Delete idempotency keys and counters that nobody will ask for again."""
    keys, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEYS_ARE_KEPT).delete()
    counters, _ = RateLimitCounter.objects.filter(expires_at__lt=now).delete()
    return keys + counters


JOBS = [Chore(name="purge_leftovers", every=timedelta(hours=1), run=purge_leftovers)]
