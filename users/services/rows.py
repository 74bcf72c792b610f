"""What every change of an account begins and ends with: the lock on its user, and a row of history."""

from datetime import datetime

from eventhub_config.shared.actors import Actor, actor_label
from eventhub_config.shared.errors import NotVisible
from eventhub_config.shared.models import StatusChange
from users.models import CustomUser


def locked(user_id: int) -> CustomUser:
    """Return a user with their details, locked until the transaction ends.

    :raises NotVisible: there is no such user.
    """
    # Two statements: a join reads the other rows as they were before the wait for the lock.
    if not CustomUser.objects.select_for_update(no_key=True).filter(pk=user_id).only("pk"):
        raise NotVisible
    return CustomUser.objects.with_details().get(pk=user_id)


def record(user: CustomUser, what: str, *, before: str, after: str, actor: Actor, now: datetime) -> None:
    """Leave a row of history. Names what changed, never to what: history is not a second place for personal data."""
    change_of(user, what, before=before, after=after, actor=actor, now=now).save(force_insert=True)


def change_of(user: CustomUser, what: str, *, before: str, after: str, actor: Actor, now: datetime) -> StatusChange:
    """Return that row of history, unsaved."""
    return StatusChange(
        subject_type=user._meta.label_lower,
        subject_id=user.pk,
        from_status=before,
        to_status=after,
        actor=actor_label(actor),
        note=what[:255],
        at=now,
    )
