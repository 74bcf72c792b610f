"""The floor's own periodic work."""

from datetime import datetime, timedelta

from eventhub_config.shared.images.rendering import images_to_work_on, work_on
from eventhub_config.shared.images.storing import discard_unused_images
from eventhub_config.shared.models import IdempotencyRecord, RateLimitCounter
from eventhub_config.shared.periodic import Chore, Sweep
from eventhub_config.shared.tasks import work_on_image

# Longer than a client goes on repeating a request. Source: Stripe keeps keys for 24 hours at least.
KEYS_ARE_KEPT = timedelta(hours=48)


def purge_leftovers(now: datetime) -> int:
    """Delete idempotency keys and counters that nobody will ask for again."""
    keys, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEYS_ARE_KEPT).delete()
    counters, _ = RateLimitCounter.objects.filter(expires_at__lt=now).delete()
    return keys + counters


JOBS = [
    Sweep(
        name="sweep_images",
        every=timedelta(minutes=1),
        find=images_to_work_on,
        work=lambda key, now: work_on(key=key, now=now),
        task=work_on_image,
        argument="image_key",
    ),
    Chore(name="discard_unused_images", every=timedelta(hours=1), run=discard_unused_images),
    Chore(name="purge_leftovers", every=timedelta(hours=1), run=purge_leftovers),
]
