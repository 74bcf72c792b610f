"""What is planted in the rows of the floor."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.storage import default_storage

from eventhub_config.shared.models import StatusChange, StoredImage
from eventhub_config.tests.planted.planting import Steps, change, planted
from eventhub_config.tests.planted.sound import moment_before, with_avatar
from eventhub_config.tests.world import World


@planted("history_moves", "seats_released_twice")
def a_move_that_there_is_not(world: World) -> Steps:
    """Ended, and begun again as if nothing had been: only the table of moves can tell."""
    booking = world.objects["cancelled_booking"]
    yield
    for before, after in (("cancelled", "confirmed"), ("confirmed", "cancelled")):
        StatusChange.objects.create(
            subject_type="bookings.booking",
            subject_id=booking.pk,
            from_status=before,
            to_status=after,
            actor="system:nobody",
            at=world.now,
        )


@planted("history_complete", "history_elsewhere")
def a_state_past_its_history(world: World) -> Steps:
    yield
    change(world.objects["draft"], status="cancelled")


@planted("history_complete", "history_elsewhere")
def a_row_without_a_history(world: World) -> Steps:
    yield
    StatusChange.objects.filter(subject_type="events.event", subject_id=world.pk("draft")).delete()


@planted("history_unbroken")
def a_move_that_is_missing(world: World) -> Steps:
    yield
    moves = StatusChange.objects.filter(subject_type="payments.payment", subject_id=world.pk("payment"))
    moves.filter(to_status="processing").delete()


@planted("history_unbroken")
def a_beginning_that_is_missing(world: World) -> Steps:
    yield
    StatusChange.objects.filter(
        subject_type="payments.payment", subject_id=world.pk("payment"), from_status=""
    ).delete()


@planted("work_done")
def a_message_that_nobody_sends(world: World) -> Steps:
    yield
    change(world.objects["notification"], next_attempt_at=moment_before(world, minutes=31))


@planted("work_done")
def a_claim_that_never_ends(world: World) -> Steps:
    yield
    change(world.objects["notification"], claimed_until=world.now + timedelta(days=9))


@planted("image_files")
def a_picture_without_its_file(world: World) -> Steps:
    avatar = with_avatar(world).avatar_id
    yield
    default_storage.delete(f"images/{avatar}/master.webp")


@planted("image_use")
def a_picture_that_nobody_uses(world: World) -> Steps:
    yield
    long_ago = moment_before(world, days=900)
    StoredImage.objects.create(key="OLD", purpose="avatar", uploaded_by=1, width=1, height=1, created_at=long_ago)
