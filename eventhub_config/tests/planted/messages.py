"""What is planted among messages."""

from __future__ import annotations

from eventhub_config.shared.models import StatusChange
from eventhub_config.tests.planted.planting import Steps, change, copy, lift, planted
from eventhub_config.tests.world import World
from notifications.models import Notification


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
