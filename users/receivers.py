"""What users do when something happened: their workers are woken."""

from typing import Any

from django.dispatch import receiver

from eventhub_config.shared.dispatch import enqueue_on_commit
from users import signals, tasks


@receiver(signals.password_reset_requested)
def wake_password_reset_worker(*, request_id: int, **_: Any) -> None:
    enqueue_on_commit(tasks.answer_password_reset, request_id=request_id)


@receiver(signals.registration_requested)
def wake_registration_worker(*, pending_id: int, **_: Any) -> None:
    enqueue_on_commit(tasks.answer_registration, pending_id=pending_id)


@receiver(signals.email_change_owed)
def wake_email_change_worker(*, link_id: int, **_: Any) -> None:
    enqueue_on_commit(tasks.answer_email_change, link_id=link_id)
